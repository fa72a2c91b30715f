//! The colours of people.
//!
//! A colour is a hue: one of 192 steps around the wheel of `OKLCh` (Björn Ottosson, "A perceptual
//! color space for image processing", 2020), where equal lightness looks equally light at every
//! hue. Its two shades, for the light page and the dark page, differ in lightness only.

use std::{collections::HashMap, fmt, sync::LazyLock};

use palette::{IntoColor as _, Oklch, Srgb};
use sha2::{Digest as _, Sha256};

/// Lightness on the light page: a contrast of at least 4.5:1 against its background.
const LIGHT_PAGE_L: f32 = 0.51;
/// Lightness on the dark page: a contrast of at least 4.5:1 against its background.
const DARK_PAGE_L: f32 = 0.76;
/// Largest chroma. Hues with less in sRGB use what they have: a chroma common to all would be grey.
const MAX_CHROMA: f32 = 0.17;
/// Number of colours: eight for each colour word, distinct with eight bits for each channel.
const STEPS: u16 = 192;
const DEGREES_A_STEP: f32 = 1.875;

struct Shades {
    light_page: Vec<String>,
    dark_page: Vec<String>,
    by_hex: HashMap<String, u16>,
}

static SHADES: LazyLock<Shades> = LazyLock::new(|| {
    let light_page: Vec<String> = (0..STEPS).map(|step| shade(LIGHT_PAGE_L, step)).collect();
    let dark_page = (0..STEPS).map(|step| shade(DARK_PAGE_L, step)).collect();
    let by_hex = light_page.iter().cloned().zip(0..STEPS).collect();
    Shades { light_page, dark_page, by_hex }
});

/// The shade of this lightness and hue with the largest chroma, up to [`MAX_CHROMA`], that is
/// inside sRGB and keeps its hue when rounded to eight bits for each channel.
fn shade(lightness: f32, step: u16) -> String {
    let hue = f32::from(step) * DEGREES_A_STEP;
    let mut chroma = MAX_CHROMA;
    loop {
        let exact: Srgb<f32> = Oklch::new(lightness, chroma, hue).into_color();
        let shown: Srgb<u8> = exact.into_format();
        let inside = [exact.red, exact.green, exact.blue].iter().all(|c| (0.0..=1.0).contains(c));
        if inside && degrees_apart(hue, hue_of(shown)) < 1.5 || chroma < 0.02 {
            return format!("#{shown:x}");
        }
        chroma -= 0.001;
    }
}

fn hue_of(rgb: Srgb<u8>) -> f32 {
    let lch: Oklch<f32> = rgb.into_format::<f32>().into_color();
    lch.hue.into_positive_degrees()
}

fn degrees_apart(a: f32, b: f32) -> f32 {
    let apart = (a - b).abs();
    apart.min(360.0 - apart)
}

/// A person's colour: a step around the wheel.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Color(u16);

impl Color {
    /// The colour of a session: the first two bytes of its SHA-256, mapped to the wheel.
    #[must_use]
    pub fn of_session(session: &str) -> Self {
        let digest = Sha256::digest(session.as_bytes());
        Self(u16::from_be_bytes([digest[0], digest[1]]) % STEPS)
    }

    /// All colours, in the order of the wheel.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..STEPS).map(Self)
    }

    /// The colour with this [`Self::hex`].
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        SHADES.by_hex.get(hex).copied().map(Self)
    }

    /// `#rrggbb`, the shade for the light page. It identifies the colour everywhere.
    #[must_use]
    pub fn hex(self) -> &'static str {
        &SHADES.light_page[usize::from(self.0)]
    }

    /// `#rrggbb`, the shade of the same hue for the dark page.
    #[must_use]
    pub fn hex_on_dark(self) -> &'static str {
        &SHADES.dark_page[usize::from(self.0)]
    }

    /// The colour's word.
    #[must_use]
    pub fn hue(self) -> Hue {
        Hue::ALL[usize::from(self.0 / (STEPS / 24))]
    }
}

impl fmt::Debug for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Color({})", self.hex())
    }
}

macro_rules! hues {
    ($($name:ident $code:literal $word:literal),* $(,)?) => {
        /// One of the 24 colour words: 15 degrees of the wheel each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each is the word itself")]
        pub enum Hue { $($name),* }

        impl Hue {
            /// All colour words, in the order of the wheel.
            pub const ALL: [Self; 24] = [$(Self::$name),*];

            /// The code for programs and translations.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The English word.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }
        }
    };
}

hues! {
    Rose "rose" "Rose", Ruby "ruby" "Ruby", Scarlet "scarlet" "Scarlet", Coral "coral" "Coral",
    Copper "copper" "Copper", Amber "amber" "Amber", Honey "honey" "Honey", Gold "gold" "Gold",
    Olive "olive" "Olive", Lime "lime" "Lime", Moss "moss" "Moss", Green "green" "Green",
    Jade "jade" "Jade", Mint "mint" "Mint", Teal "teal" "Teal", Cyan "cyan" "Cyan",
    Azure "azure" "Azure", Blue "blue" "Blue", Indigo "indigo" "Indigo", Iris "iris" "Iris",
    Violet "violet" "Violet", Purple "purple" "Purple", Orchid "orchid" "Orchid",
    Magenta "magenta" "Magenta",
}

impl Hue {
    /// The hue with this English word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hue| hue.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use palette::color_difference::Wcag21RelativeContrast as _;

    use super::*;

    /// `--paper` and `--paper-raised` of both themes, as `public/css/variables.css` has them.
    const LIGHT_PAPERS: [&str; 2] = ["#fbfaf8", "#ffffff"];
    const DARK_PAPERS: [&str; 2] = ["#17171a", "#202024"];

    fn rgb(hex: &str) -> Srgb<f32> {
        hex.parse::<Srgb<u8>>().unwrap().into_format()
    }

    #[test]
    fn every_colour_reads_at_4_5_to_1_on_the_light_and_the_dark_page() {
        for color in Color::all() {
            for paper in LIGHT_PAPERS {
                let contrast = rgb(color.hex()).relative_contrast(rgb(paper));
                assert!(contrast >= 4.5, "{color:?} on {paper}: {contrast}");
            }
            for paper in DARK_PAPERS {
                let contrast = rgb(color.hex_on_dark()).relative_contrast(rgb(paper));
                assert!(contrast >= 4.5, "{color:?} on {paper}: {contrast}");
            }
        }
    }

    #[test]
    fn the_tested_papers_are_those_of_the_pages() {
        let tokens = include_str!("../../public/css/variables.css");
        for paper in LIGHT_PAPERS.iter().chain(&DARK_PAPERS) {
            assert!(tokens.contains(paper), "{paper} is not in variables.css");
        }
    }

    #[test]
    fn a_theme_shifts_lightness_and_never_hue() {
        for color in Color::all() {
            let [light, dark] =
                [color.hex(), color.hex_on_dark()].map(|hex| hue_of(hex.parse().unwrap()));
            assert!(degrees_apart(light, dark) < 3.0, "{color:?}: {light} and {dark}");
        }
    }

    #[test]
    fn no_two_steps_share_a_colour_and_each_is_found_by_its_hex() {
        let hexes: HashSet<_> = Color::all().map(Color::hex).collect();
        assert_eq!(hexes.len(), 192);
        assert!(Color::all().all(|color| Color::from_hex(color.hex()) == Some(color)));
        assert_eq!(Color::from_hex("#123456"), None);
    }

    #[test]
    fn every_word_is_found_again() {
        assert!(Hue::ALL.into_iter().all(|hue| Hue::from_word(hue.word()) == Some(hue)));
    }
}
