//! The program: its command line, its settings, its start and its end.

use std::{
    ffi::OsStr,
    fs::Permissions,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::Path,
    process::Output,
};

use reqwest::{Method, StatusCode, header};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

use crate::common::{
    Backend,
    server::{Home, Process},
    soon,
};

async fn run(arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let folder = tempfile::TempDir::new().unwrap();
    Command::new(env!("CARGO_BIN_EXE_huechat"))
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .envs(settings.iter().copied())
        .output()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_wrong_setting_stops_the_start_with_one_line_that_names_it() {
    let output = run(&["serve"], &[("ROOM_GRACE", "soon")]).await;

    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "huechat: ROOM_GRACE=soon: not a number of seconds\n");
}

#[tokio::test]
async fn a_short_cookie_secret_stops_the_start_and_is_not_shown() {
    let output = run(&[], &[("COOKIE_SECRET", "hunter2")]).await;

    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "huechat: COOKIE_SECRET=(hidden): shorter than 32 bytes\n");
}

#[tokio::test]
async fn the_settings_are_listed_with_their_secrets_hidden() {
    let secret = "0123456789abcdef0123456789abcdef";
    let output = run(&["config"], &[("COOKIE_SECRET", secret), ("PORT", "9000")]).await;

    assert!(output.status.success());
    let listed = String::from_utf8(output.stdout).unwrap();
    assert!(
        listed.contains("PORT=9000\n") && listed.contains("COOKIE_SECRET=(hidden)\n"),
        "{listed}"
    );
    assert!(!listed.contains(secret));
}

/// Of these values nothing may be shown: one of them could be a password.
#[tokio::test]
async fn a_value_that_is_no_text_is_refused_by_name_or_is_none_of_ours() {
    let garbage = OsStr::from_bytes(b"hunter2\xff");
    for (name, refused) in [("MONGO_PASSWORD", true), ("PORT", true), ("SOMETHING_ELSE", false)] {
        let folder = tempfile::TempDir::new().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_huechat"))
            .arg("config")
            .current_dir(folder.path())
            .env_clear()
            .env(name, garbage)
            .output()
            .await
            .unwrap();

        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.success(), !refused, "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        if refused {
            assert_eq!(said, format!("huechat: {name}=(hidden): not text in UTF-8\n"));
        }
    }
}

#[tokio::test]
async fn a_wrong_line_of_the_file_of_settings_is_not_shown() {
    for line in ["MONGO_PASSWORD=two words hunter2", "hunter2 without a name"] {
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join(".env"), format!("PORT=9000\n{line}\n")).unwrap();

        let output = Command::new(env!("CARGO_BIN_EXE_huechat"))
            .arg("config")
            .current_dir(folder.path())
            .env_clear()
            .output()
            .await
            .unwrap();

        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.starts_with("huechat: .env: the setting after PORT is not NAME=value; "),
            "{said}"
        );
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn a_wrong_log_filter_stops_the_start() {
    let output = run(&["config"], &[("RUST_LOG", "huechat=loud")]).await;

    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("huechat: RUST_LOG=huechat=loud: "), "{said}");
}

#[tokio::test]
async fn what_cannot_be_opened_is_named_with_its_setting() {
    let server = Process::start(Home::new(Backend::Sqlite, &[])).await;
    let port = server.address.port().to_string();
    let taken = run(&["serve"], &[("PORT", &port)]).await;
    let said = String::from_utf8(taken.stderr).unwrap();
    assert!(said.contains(&format!("HOST, PORT: cannot listen on 127.0.0.1:{port}: ")), "{said}");

    let (data, uploads) = (("DATA_DIR", "/dev/null/data"), ("UPLOADS_URL", "/dev/null/gifs"));
    for (setting, named) in
        [(data, "DATA_DIR=/dev/null/data: "), (uploads, "UPLOADS_URL=/dev/null/gifs: ")]
    {
        let output = run(&["serve"], &[("PORT", "0"), setting]).await;
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(named), "{said}");
    }

    let folder = tempfile::TempDir::new().unwrap();
    let database = folder.path().join("huechat.sqlite3");
    std::fs::write(&database, "this is no database, and long enough to be looked at".repeat(40))
        .unwrap();
    let data = folder.path().display().to_string();
    let output = run(&["serve"], &[("PORT", "0"), ("DATA_DIR", &data)]).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&database.display().to_string()), "{said}");
}

#[tokio::test]
async fn other_users_of_the_machine_read_nothing() {
    let home = Home::new(Backend::Sqlite, &[]);
    let data = home.data();
    std::fs::create_dir_all(&data).unwrap();
    std::fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
    let old = data.join("huechat.sqlite3");
    std::fs::write(&old, "").unwrap();
    std::fs::set_permissions(&old, Permissions::from_mode(0o644)).unwrap();

    let server = Process::start(home).await;
    server.browser().await.create_room("tea", 2).await;

    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> =
        std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn the_generated_cookie_secret_can_be_given_by_a_setting() {
    let server = Process::start(Home::new(Backend::Sqlite, &[])).await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    let (_socket, welcome) = anna.enter(&room).await;
    let (mut home, _) = server.terminate().await;
    let file = home.data().join("cookie-secret");
    let secret = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    home.set("COOKIE_SECRET", &secret);

    let server = Process::start(home).await;

    let (_socket, again) = anna.at(server.address).enter(&room).await;
    assert_eq!(again["you"]["id"], welcome["you"]["id"]);
}

#[tokio::test]
async fn a_low_limit_of_open_files_is_raised_and_a_hard_one_is_said() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut server = Command::new("sh")
        .args(["-c", "ulimit -n 256; exec \"$0\" serve", env!("CARGO_BIN_EXE_huechat")])
        .current_dir(folder.path())
        .env_clear()
        .env("PORT", "0")
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();

    let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
    let mut said = Vec::new();
    while let Some(line) = soon("a line of the log", log.next_line()).await.unwrap() {
        said.push(line);
        if said.iter().any(|line| line.contains("128 connections at most")) {
            return;
        }
    }
    panic!("{said:?}");
}

#[tokio::test]
async fn a_host_that_a_proxy_rewrote_is_named_with_the_setting() {
    let server = Process::start(Home::new(Backend::Sqlite, &[])).await;
    let browser = server.browser().await;
    let form = browser.request(Method::POST, "/room").header(header::ORIGIN, "http://chat.example");

    let answer = form.form(&[("title", "tea"), ("max", "2")]).send().await.unwrap();

    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let log = server.log();
    let said = log.iter().find(|line| line.contains("another site")).unwrap();
    for part in ["http://chat.example", &server.address.to_string(), "PUBLIC_URL"] {
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test]
async fn a_terminal_that_closes_lets_everybody_come_back() {
    let server = Process::start(Home::new(Backend::Sqlite, &[])).await;
    let anna = server.browser().await;
    let room = anna.create_room("tea", 2).await;
    let (mut socket, _) = anna.enter(&room).await;

    let (_home, status) = server.end_by("-HUP").await;

    assert!(status.success(), "{status}");
    let (event, error) = socket.events_until_the_end().await.pop().unwrap();
    assert_eq!((event.as_str(), error["code"].as_str()), ("error", Some("restarting")));
}

#[tokio::test]
async fn a_file_of_settings_counts_less_than_the_environment() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join(".env"), "PORT=9000\nMAX_ROOMS=7\n").unwrap();

    let output = Command::new(env!("CARGO_BIN_EXE_huechat"))
        .arg("config")
        .current_dir(folder.path())
        .env_clear()
        .env("PORT", "9001")
        .output()
        .await
        .unwrap();

    let listed = String::from_utf8(output.stdout).unwrap();
    assert!(listed.contains("PORT=9001\n") && listed.contains("MAX_ROOMS=7\n"), "{listed}");
}

#[tokio::test]
async fn a_healthcheck_asks_the_running_server() {
    let server = Process::start(Home::new(Backend::Sqlite, &[])).await;
    let port = server.address.port().to_string();

    let healthy = run(&["healthcheck"], &[("PORT", &port)]).await;
    server.kill().await;
    let dead = run(&["healthcheck"], &[("PORT", &port)]).await;

    assert!(healthy.status.success(), "{healthy:?}");
    assert!(!dead.status.success());
}

#[tokio::test]
async fn the_cookie_secret_is_made_once_and_for_the_owners_eyes_alone() {
    let server = Process::start(Home::new(Backend::Sqlite, &[])).await;
    let path = server.home.data().join("cookie-secret");
    let made = std::fs::read(&path).unwrap();

    let (home, _) = server.terminate().await;
    let _server = Process::start(home).await;

    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read(&path).unwrap(), made);
    assert!(made.len() >= 32);
}

#[tokio::test]
async fn two_servers_do_not_share_one_file() {
    let server = Process::start(Home::new(Backend::Sqlite, &[])).await;
    let data = server.home.data().display().to_string();

    let second = run(&["serve"], &[("DATA_DIR", &data), ("PORT", "0")]).await;

    assert!(!second.status.success());
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("another server has"), "{said}");
}

#[tokio::test]
async fn an_unknown_command_is_explained() {
    let output = run(&["dance"], &[]).await;

    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("Usage"));
}
