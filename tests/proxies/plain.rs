//! nginx with `proxy_pass` alone. It hands on what its client says about itself, and says nothing of its own.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{
    ANNA, BEN,
    common::{
        Backend,
        server::{Home, Process},
    },
    proxy::Proxy,
    visitor::visitor_at,
};

async fn kick_and_return(server: &Process) {
    let proxy = Proxy::plain_nginx(server.address).await;
    let (anna, ben) = (visitor_at(ANNA, &proxy).await, visitor_at(BEN, &proxy).await);
    let room = anna.create_room("tea", 5).await;
    // No WebSocket passes, so this server's own address is used for it.
    let (mut annas, _) = anna.at(server.address).enter(&room).await;
    let (_bens, welcome) = ben.at(server.address).enter(&room).await;
    let kick = json!({ "id": welcome["you"]["id"] });
    assert_eq!(annas.ask("person:kick", kick).await["ok"], true);

    assert_eq!(ben.get_json(&format!("/room/{room}")).await.1["error"]["code"], "kicked");
    // The network is unknown, so nobody else is banned.
    for address in [ANNA, BEN] {
        let (status, answer) =
            visitor_at(address, &proxy).await.get_json(&format!("/room/{room}")).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn visitors_of_a_trusted_proxy_that_names_nobody_are_unknown_and_one_warning_names_the_setting()
 {
    let settings = [("TRUSTED_PROXIES", "127.0.0.1")];
    let server = Process::start(Home::new(Backend::Sqlite, &settings)).await;

    kick_and_return(&server).await;

    let log = server.log();
    let warnings: Vec<_> = log.iter().filter(|line| line.contains("X-Forwarded-For")).collect();
    assert_eq!(warnings.len(), 1, "{log:?}");
    assert!(warnings[0].contains("TRUSTED_PROXIES") && warnings[0].contains("127.0.0.1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_says_through_a_proxy_that_is_not_named_is_not_believed_and_one_warning_names_the_setting()
 {
    let server = Process::start(Home::new(Backend::Sqlite, &[])).await;
    let proxy = Proxy::plain_nginx(server.address).await;
    let anna = visitor_at(ANNA, &proxy).await;
    let room = anna.create(&json!({ "title": "tea", "max": 5, "password": "right" })).await;
    let ben = visitor_at(BEN, &proxy).await;
    let mut answers = Vec::new();
    for n in 0..10 {
        let request = ben.request(Method::POST, &format!("/room/{room}/enter"));
        let request = request.header("accept", "application/json");
        let request = request.header("x-forwarded-for", format!("192.0.2.{n}"));
        answers.push(request.form(&[("password", "wrong")]).send().await.unwrap().status());
    }
    assert!(answers.contains(&StatusCode::TOO_MANY_REQUESTS), "{answers:?}");

    kick_and_return(&server).await;

    let log = server.log();
    let warnings: Vec<_> = log.iter().filter(|line| line.contains("X-Forwarded-For")).collect();
    assert_eq!(warnings.len(), 1, "{log:?}");
    assert!(warnings[0].contains("TRUSTED_PROXIES") && warnings[0].contains("127.0.0.1"));
}
