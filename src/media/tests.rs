use tempfile::TempDir;

use super::*;

fn in_folder(folder: &TempDir) -> Media {
    Media::open(folder.path().to_str().unwrap(), [], gifs::FIVE_MIB, u64::MAX).unwrap()
}

fn in_memory() -> Media {
    Media::open("memory:///", [], gifs::FIVE_MIB, u64::MAX).unwrap()
}

async fn read(media: &Media, room: &RoomId, name: &str, range: Option<GetRange>) -> Vec<u8> {
    let file = media.file(room, name, range).await.unwrap().unwrap();
    file.body.try_collect::<Vec<_>>().await.unwrap().concat()
}

async fn refusal(upload: impl Into<Bytes>) -> MediaError {
    in_memory().keep(&RoomId::random(), upload.into()).await.unwrap_err()
}

#[tokio::test]
async fn a_kept_gif_and_its_poster_are_found_by_name_in_their_room_only() {
    let folder = TempDir::new().unwrap();
    for media in [in_folder(&folder), in_memory()] {
        let room = RoomId::random();

        let gif = media.keep(&room, gifs::animation(8, 8, 3).into()).await.unwrap();

        let kept = read(&media, &room, &format!("{}.gif", gif.hash), None).await;
        assert_eq!(HEXLOWER.encode(&Sha256::digest(&kept)), gif.hash);
        assert_eq!(kept.len() as u64, gif.facts.bytes);
        let name = format!("{}.png", gif.hash);
        let poster = media.file(&room, &name, None).await.unwrap().unwrap();
        assert_eq!(poster.content_type, "image/png");
        assert!(media.file(&RoomId::random(), &name, None).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_part_of_a_file_is_given_and_a_part_it_does_not_have_is_refused() {
    let folder = TempDir::new().unwrap();
    for media in [in_folder(&folder), in_memory()] {
        let room = RoomId::random();
        let gif = media.keep(&room, gifs::animation(8, 8, 3).into()).await.unwrap();
        let name = format!("{}.gif", gif.hash);
        let size = gif.facts.bytes;

        let head = media.file(&room, &name, Some(GetRange::Bounded(0..6))).await.unwrap().unwrap();
        let tail = read(&media, &room, &name, Some(GetRange::Suffix(1))).await;
        let beyond = media.file(&room, &name, Some(GetRange::Offset(size))).await;

        assert_eq!((head.content_type, head.size, head.range), ("image/gif", size, 0..6));
        assert_eq!(tail, b"\x3b");
        let Err(FileError::OutOfRange { size: told }) = beyond else { unreachable!() };
        assert_eq!(told, size);
        let other = format!("{}.gif", "0".repeat(64));
        assert!(media.file(&room, &other, Some(GetRange::Offset(0))).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_name_that_is_not_one_reaches_no_file() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("secret.gif"), "secret").unwrap();
    let media = in_folder(&folder);
    let room = RoomId::random();
    let hash = media.keep(&room, gifs::animation(8, 8, 3).into()).await.unwrap().hash;
    for name in [
        "",
        ".",
        ".gif",
        "../secret.gif",
        "%2e%2e/secret.gif",
        &hash,
        &format!("{hash}."),
        &format!("{hash}.jpg"),
        &format!("{hash}.gif.gif"),
        &format!("{hash}.gif/"),
        &format!(" {hash}.gif"),
        &format!("{}.gif", hash.to_uppercase()),
        &format!("{}.gif", &hash[1..]),
        &format!("../{room}/{hash}.gif"),
    ] {
        assert!(media.file(&room, name, None).await.unwrap().is_none(), "{name}");
    }
}

#[tokio::test]
async fn a_room_takes_its_files_and_its_folder_with_it_as_often_as_asked() {
    let folder = TempDir::new().unwrap();
    for media in [in_folder(&folder), in_memory()] {
        let [room, other] = [RoomId::random(), RoomId::random()];
        let gif = media.keep(&room, gifs::animation(8, 8, 3).into()).await.unwrap();
        media.keep(&other, gifs::animation(8, 8, 3).into()).await.unwrap();
        let mut rooms = media.rooms().await.unwrap();
        rooms.sort();
        let mut both = [room.clone(), other.clone()];
        both.sort();
        assert_eq!(rooms, both);

        media.delete_room(&room).await.unwrap();
        media.delete_room(&room).await.unwrap();

        assert_eq!(media.rooms().await.unwrap(), [other]);
        assert!(media.file(&room, &format!("{}.gif", gif.hash), None).await.unwrap().is_none());
        assert!(!folder.path().join(room.as_str()).exists());
    }
}

#[tokio::test]
async fn one_gif_can_be_removed_as_often_as_asked_and_the_others_stay() {
    let folder = TempDir::new().unwrap();
    for media in [in_folder(&folder), in_memory()] {
        let room = RoomId::random();
        let gone = media.keep(&room, gifs::animation(8, 8, 3).into()).await.unwrap();
        let stays = media.keep(&room, gifs::animation(8, 8, 4).into()).await.unwrap();

        media.delete(&room, &gone).await.unwrap();
        media.delete(&room, &gone).await.unwrap();

        for name in [format!("{}.gif", gone.hash), format!("{}.png", gone.hash)] {
            assert!(media.file(&room, &name, None).await.unwrap().is_none());
        }
        assert!(!read(&media, &room, &format!("{}.gif", stays.hash), None).await.is_empty());
    }
}

#[tokio::test]
async fn the_same_gif_with_other_comments_is_the_same_file() {
    let media = in_memory();
    let room = RoomId::random();
    let bare = media.keep(&room, gifs::animation(4, 4, 2).into()).await.unwrap();
    let padded = media.keep(&room, gifs::of_bytes(5_000).into()).await.unwrap();
    assert_eq!(bare, padded);
}

#[tokio::test]
async fn a_file_that_is_not_a_gif_is_refused_under_any_name() {
    for upload in [gifs::png(), b"<!doctype html>".to_vec(), Vec::new(), b"GIF".to_vec()] {
        assert!(matches!(refusal(upload).await, MediaError::NotAGif));
    }
    assert!(matches!(refusal("GIF89a").await, MediaError::BadGif(_)));
}

#[tokio::test]
async fn a_gif_of_the_most_bytes_is_taken_and_of_one_more_is_not() {
    let media = in_memory();
    let most = media.keep(&RoomId::random(), gifs::of_bytes(gifs::FIVE_MIB).into()).await;
    assert!(most.is_ok());
    let refused = refusal(gifs::of_bytes(gifs::FIVE_MIB + 1)).await;
    assert!(matches!(refused, MediaError::TooLarge));
}

#[tokio::test]
async fn a_folder_is_made_when_it_is_not_there_and_may_be_given_as_a_url() {
    let folder = TempDir::new().unwrap();
    let deep = folder.path().join("a folder/of files");
    let url = Url::from_file_path(&deep).unwrap();

    let media = Media::open(url.as_str(), [], gifs::FIVE_MIB, u64::MAX).unwrap();

    let room = RoomId::random();
    media.keep(&room, gifs::animation(4, 4, 1).into()).await.unwrap();
    assert_eq!(deep.join(room.as_str()).read_dir().unwrap().count(), 2);
}

#[test]
fn a_bucket_opens_with_the_settings_that_it_is_given() {
    let settings = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]
        .map(|name| (name.to_owned(), "some".to_owned()));
    assert!(Media::open("s3://bucket/prefix", settings, 1, u64::MAX).is_ok());
}

#[test]
fn a_url_of_neither_a_folder_nor_a_bucket_is_unknown() {
    for url in ["", "https://example.org/files", "gs://bucket", "ftp://host/x", "s3:bucket"] {
        let refused = Media::open(url, [], 1, u64::MAX).err();
        assert!(matches!(refused, Some(OpenError::UnknownKind)), "{url}: {refused:?}");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let refused = Media::open(file.path().to_str().unwrap(), [], 1, u64::MAX).err();
    assert!(matches!(refused, Some(OpenError::Folder { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_gif_that_could_not_be_kept_takes_no_space() {
    let first = TempDir::new().unwrap();
    let room = RoomId::random();
    let elsewhere = in_folder(&first);
    let gif = elsewhere.keep(&room, gifs::animation(8, 8, 3).into()).await.unwrap();
    let bytes = elsewhere.sizes(None).await.unwrap();

    let second = TempDir::new().unwrap();
    let folder = second.path().to_str().unwrap();
    let media = Media::open(folder, [], gifs::FIVE_MIB, bytes).unwrap();
    let in_the_way = second.path().join(room.as_str()).join(format!("{}.png", gif.hash));
    std::fs::create_dir_all(in_the_way.join("x")).unwrap();

    let kept = media.keep(&room, gifs::animation(8, 8, 3).into()).await;
    assert!(matches!(kept, Err(MediaError::Storage(_))), "{kept:?}");
    std::fs::remove_dir_all(&in_the_way).unwrap();
    assert_eq!(media.keep(&room, gifs::animation(8, 8, 3).into()).await.unwrap(), gif);
}
