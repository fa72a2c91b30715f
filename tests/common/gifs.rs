//! GIFs for tests, good and bad, made in code.

use gif::{AnyExtension, DisposalMethod, Encoder, Frame, Repeat};

/// Black, red, green, blue.
pub const PALETTE: [u8; 12] = [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255];

/// The most that a server takes by default.
pub const FIVE_MIB: usize = 5 << 20;

/// A frame of one colour of [`PALETTE`], shown for 100 ms.
pub fn plain(width: u16, height: u16, color: u8) -> Frame<'static> {
    let pixels = vec![color; usize::from(width) * usize::from(height)];
    Frame { delay: 10, ..Frame::from_indexed_pixels(width, height, pixels, None) }
}

/// The given frames on a canvas, played for ever.
pub fn of_frames(width: u16, height: u16, frames: &[Frame<'_>]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), width, height, &PALETTE).unwrap();
    encoder.set_repeat(Repeat::Infinite).unwrap();
    for frame in frames {
        encoder.write_frame(frame).unwrap();
    }
    encoder.into_inner().unwrap()
}

/// An animation of as many frames, 100 ms each, every one of another colour than the last.
pub fn animation(width: u16, height: u16, frames: u8) -> Vec<u8> {
    let frames: Vec<_> = (0..frames).map(|n| plain(width, height, n % 4)).collect();
    of_frames(width, height, &frames)
}

/// One with everything that the format has: a comment, plain text, a program's metadata, a local
/// palette, transparency, interlacing, each way of disposal.
pub fn with_everything() -> Vec<u8> {
    const COMMENT: AnyExtension = AnyExtension(0xFE);
    const TEXT: AnyExtension = AnyExtension(0x01);
    const APPLICATION: AnyExtension = AnyExtension(0xFF);
    let mut encoder = Encoder::new(Vec::new(), 9, 7, &PALETTE).unwrap();
    encoder.set_repeat(Repeat::Finite(3)).unwrap();
    encoder.write_raw_extension(COMMENT, &[b"a secret comment"]).unwrap();
    encoder.write_raw_extension(APPLICATION, &[b"XMP DataXMP", b"a secret place"]).unwrap();
    encoder.write_frame(&plain(9, 7, 1)).unwrap();
    encoder.write_raw_extension(TEXT, &[&[0; 12], b"a secret text"]).unwrap();
    encoder
        .write_frame(&Frame {
            delay: 1,
            dispose: DisposalMethod::Background,
            interlaced: true,
            left: 2,
            top: 1,
            palette: Some(vec![9; 24]),
            ..Frame::from_indexed_pixels(5, 6, [0, 1, 2, 3, 4, 5].repeat(5), Some(3))
        })
        .unwrap();
    encoder.write_frame(&Frame { dispose: DisposalMethod::Previous, ..plain(1, 1, 3) }).unwrap();
    encoder.into_inner().unwrap()
}

/// A good one that says it is this large. Nothing but its first 10 bytes is changed.
pub fn claiming_to_be(width: u16, height: u16) -> Vec<u8> {
    let mut file = animation(4, 4, 1);
    file[6..8].copy_from_slice(&width.to_le_bytes());
    file[8..10].copy_from_slice(&height.to_le_bytes());
    file
}

/// One whose second frame reaches over the edge of its canvas.
pub fn with_a_frame_off_the_canvas() -> Vec<u8> {
    let outside = Frame { left: 3, ..plain(2, 2, 1) };
    of_frames(4, 4, &[plain(4, 4, 0), outside])
}

/// One that ends before its first frame.
pub fn without_frames() -> Vec<u8> {
    of_frames(4, 4, &[])
}

/// A GIF with a ZIP archive behind it, which is both.
pub fn that_is_a_zip_too() -> Vec<u8> {
    // An archive without files is its end record alone.
    let zip = [b"PK\x05\x06".as_slice(), &[0; 18]].concat();
    [animation(4, 4, 2), zip].concat()
}

/// A good one, made larger by comments until it has exactly this many bytes.
pub fn of_bytes(size: usize) -> Vec<u8> {
    let mut file = animation(4, 4, 2);
    let trailer = file.pop().unwrap();
    let mut missing = size - file.len() - 1;
    while missing > 0 {
        // A comment is three bytes around its sub-blocks, each of one byte and up to 255 more.
        let text = match missing {
            n if n >= 5 + 255 => 255 - usize::from(n < 5 + 255 + 4) * 5,
            n => n - 4,
        };
        file.extend([0x21, 0xFE, u8::try_from(text).unwrap()]);
        file.extend(vec![b'x'; text]);
        file.push(0);
        missing -= text + 4;
    }
    file.push(trailer);
    file
}

/// A small file that is two billion pixels to decode.
pub fn bomb() -> Vec<u8> {
    let mut frame = plain(4096, 2048, 0);
    frame.make_lzw_pre_encoded();
    let mut encoder = Encoder::new(Vec::new(), 4096, 2048, &PALETTE).unwrap();
    for _ in 0..256 {
        encoder.write_lzw_pre_encoded_frame(&frame).unwrap();
    }
    encoder.into_inner().unwrap()
}

/// A PNG of one pixel.
pub fn png() -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = png::Encoder::new(&mut file, 1, 1).write_header().unwrap();
    writer.write_image_data(&[0]).unwrap();
    writer.finish().unwrap();
    file
}
