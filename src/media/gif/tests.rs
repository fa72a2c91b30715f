use ::gif::{Decoder, DisposalMethod};
use proptest::prelude::*;

use super::*;
use crate::media::gifs;

/// Everything about the frames of a file, their compressed data included.
fn frames(file: &[u8]) -> Vec<String> {
    let mut options = DecodeOptions::new();
    options.skip_frame_decoding(true);
    let decoder = options.read_info(file).unwrap();
    decoder.into_iter().map(|frame| format!("{:?}", frame.unwrap())).collect()
}

/// The pixels of a poster: red, green, blue, opacity.
fn pixels(poster: Vec<u8>) -> Vec<u8> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(poster)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    pixels
}

fn gif_error(upload: &[u8]) -> GifError {
    sanitize(upload).err().unwrap()
}

#[test]
fn an_animation_is_measured() {
    let examined = sanitize(&gifs::animation(40, 30, 5)).unwrap();

    let GifFacts { width, height, bytes, frames, duration_ms } = examined.facts;
    assert_eq!((width, height, frames, duration_ms), (40, 30, 5, 500));
    assert_eq!(bytes, examined.file.len() as u64);
}

#[test]
fn a_frame_that_asks_for_less_than_20_ms_counts_as_the_100_that_browsers_give_it() {
    let with_delay = |delay| Frame { delay, ..gifs::plain(4, 4, 1) };
    let upload = gifs::of_frames(4, 4, &[with_delay(0), with_delay(1), with_delay(2)]);
    assert_eq!(sanitize(&upload).unwrap().facts.duration_ms, 100 + 100 + 20);
}

#[test]
fn what_does_not_show_is_dropped_and_every_frame_stays_as_it_was() {
    let upload = gifs::with_everything();
    assert!(String::from_utf8_lossy(&upload).contains("secret"));

    let kept = sanitize(&upload).unwrap().file;

    assert!(!String::from_utf8_lossy(&kept).contains("secret"));
    assert_eq!(frames(&kept), frames(&upload));
    assert_eq!(Decoder::new(kept.as_slice()).unwrap().repeat(), Repeat::Finite(3));
}

#[test]
fn looping_is_kept_under_its_other_name_and_behind_the_first_frame_too() {
    const APPLICATION: AnyExtension = AnyExtension(Extension::Application as u8);
    for name in [b"NETSCAPE2.0", b"ANIMEXTS1.0"] {
        let mut encoder = Encoder::new(Vec::new(), 4, 4, &gifs::PALETTE).unwrap();
        encoder.write_frame(&gifs::plain(4, 4, 1)).unwrap();
        encoder.write_raw_extension(APPLICATION, &[name, &[1, 7, 0]]).unwrap();
        let upload = encoder.into_inner().unwrap();

        let kept = sanitize(&upload).unwrap().file;

        assert_eq!(Decoder::new(kept.as_slice()).unwrap().repeat(), Repeat::Finite(7));
    }
}

#[test]
fn what_follows_the_end_is_dropped() {
    let clean = sanitize(&gifs::animation(4, 4, 2)).unwrap().file;
    let trailed = [gifs::animation(4, 4, 2), b"<script>".to_vec()].concat();

    assert_eq!(sanitize(&trailed).unwrap().file, clean);
    assert_eq!(sanitize(&gifs::that_is_a_zip_too()).unwrap().file, clean);
}

#[test]
fn a_file_cut_off_at_any_byte_is_refused() {
    let whole = gifs::with_everything();
    assert!(sanitize(&whole).is_ok());
    for end in 0..whole.len() {
        assert!(sanitize(&whole[..end]).is_err(), "cut off at {end}");
    }
}

#[test]
fn a_frame_whose_data_ends_too_early_is_refused() {
    let mut encoder = Encoder::new(Vec::new(), 4, 4, &gifs::PALETTE).unwrap();
    let end_at_once = [2, 0b101].as_slice();
    let frame = Frame { buffer: end_at_once.into(), ..gifs::plain(4, 4, 1) };
    encoder.write_lzw_pre_encoded_frame(&frame).unwrap();

    let refused = gif_error(&encoder.into_inner().unwrap());

    assert!(matches!(refused, GifError::Unfinished), "{refused}");
}

#[test]
fn a_small_interlaced_frame_is_taken_and_its_rows_are_put_in_order() {
    let stored = [0, 8, 4, 2, 6, 1, 3, 5, 7].map(|row| [row, row]).concat();
    let palette: Vec<u8> = (0..9).flat_map(|row| [row, row, row]).collect();
    let rows = Frame::from_palette_pixels(2, 9, stored, palette.clone(), None);
    let upload = gifs::of_frames(2, 9, &[Frame { interlaced: true, ..rows }]);

    let poster = sanitize(&upload).unwrap().poster;

    let expected: Vec<_> = (0..9).flat_map(|row| [row, row, row, 255].repeat(2)).collect();
    assert_eq!(pixels(poster), expected);
}

#[test]
fn sizes_are_judged_before_anything_is_decoded() {
    for (width, height) in [(60_000, 60_000), (4097, 1), (1, 4097), (4096, 4096), (0, 4), (4, 0)] {
        let refused = gif_error(&gifs::claiming_to_be(width, height));
        assert!(matches!(refused, GifError::Size { .. }), "{width} by {height}: {refused}");
    }
    assert!(matches!(gif_error(&gifs::bomb()), GifError::TooMuch));
}

#[test]
fn frames_lie_on_the_canvas_and_are_not_too_many() {
    let many = gifs::of_frames(1, 1, &vec![gifs::plain(1, 1, 0); 1_001]);
    let most = gifs::of_frames(1, 1, &vec![gifs::plain(1, 1, 0); 1_000]);
    let nothing = gifs::of_frames(4, 4, &[gifs::plain(0, 0, 0)]);

    assert!(sanitize(&most).is_ok());
    assert!(matches!(gif_error(&many), GifError::TooManyFrames));
    assert!(matches!(gif_error(&gifs::with_a_frame_off_the_canvas()), GifError::OffCanvas));
    assert!(matches!(gif_error(&nothing), GifError::OffCanvas));
    assert!(matches!(gif_error(&gifs::without_frames()), GifError::NoFrame));
}

#[test]
fn only_a_gif_has_a_gif_header() {
    assert!(has_gif_header(&gifs::animation(1, 1, 1)));
    for other in [b"".as_slice(), b"GIF", b"GIF88a", b"<!doctype html>", &gifs::png()] {
        assert!(!has_gif_header(other));
    }
}

#[test]
fn the_poster_is_the_first_frame_where_it_lies_on_a_clear_canvas() {
    let first = Frame { left: 2, top: 1, ..gifs::plain(1, 2, 1) };
    let upload = gifs::of_frames(4, 3, &[first, gifs::plain(4, 3, 2)]);

    let poster = sanitize(&upload).unwrap().poster;

    let mut expected = [[0; 4]; 4 * 3];
    expected[4 + 2] = [255, 0, 0, 255];
    expected[8 + 2] = [255, 0, 0, 255];
    assert_eq!(pixels(poster), expected.concat());
}

/// Where a frame begins on a side of the canvas, and how far it reaches.
fn any_span(canvas: u16) -> impl Strategy<Value = (u16, u16)> {
    (0..canvas).prop_flat_map(move |start| (Just(start), 1..=canvas - start))
}

prop_compose! {
    /// Any frame that lies on a canvas of this size.
    fn any_frame(canvas: (u16, u16))(
        across in any_span(canvas.0),
        down in any_span(canvas.1),
    )(
        across in Just(across),
        down in Just(down),
        pixels in prop::collection::vec(0..4_u8, usize::from(across.1) * usize::from(down.1)),
        delay in any::<u16>(),
        dispose in prop::sample::select(vec![
            DisposalMethod::Any,
            DisposalMethod::Keep,
            DisposalMethod::Background,
            DisposalMethod::Previous,
        ]),
        transparent in prop::option::of(0..4_u8),
        interlaced in any::<bool>(),
        needs_user_input in any::<bool>(),
        palette in prop::option::of(prop::collection::vec(any::<u8>(), 12)),
    ) -> Frame<'static> {
        let ((left, width), (top, height)) = (across, down);
        Frame {
            left,
            top,
            width,
            height,
            delay,
            dispose,
            transparent,
            interlaced,
            needs_user_input,
            palette,
            buffer: pixels.into(),
        }
    }
}

fn any_gif() -> impl Strategy<Value = Vec<u8>> {
    (1..24_u16, 1..24_u16).prop_flat_map(|canvas| {
        prop::collection::vec(any_frame(canvas), 1..6)
            .prop_map(move |frames| gifs::of_frames(canvas.0, canvas.1, &frames))
    })
}

proptest! {
    #[test]
    fn whatever_the_frames_are_they_come_out_as_they_went_in(upload in any_gif()) {
        let kept = sanitize(&upload).unwrap().file;
        prop_assert_eq!(frames(&kept), frames(&upload));
    }

    #[test]
    fn a_damaged_file_is_refused_or_becomes_a_sound_one(
        upload in any_gif(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut damaged = upload;
        for (place, byte) in damage {
            let place = place.index(damaged.len());
            damaged[place] = byte;
        }
        if let Ok(SanitizedGif { file, facts, .. }) = sanitize(&damaged) {
            let again = sanitize(&file).unwrap();
            prop_assert_eq!(again.file, file);
            prop_assert_eq!(again.facts, facts);
        }
    }

    #[test]
    fn bytes_that_only_begin_like_a_gif_are_no_danger(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let _whatever = sanitize(&[b"GIF89a\x04\x00\x04\x00".as_slice(), &noise].concat());
    }
}
