//! Client addresses: trusted proxies, and the networks behind them.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use http::HeaderMap;
use ipnet::IpNet;

/// The header to which each proxy appends its client's address.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Trusted proxies in front of this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

impl FromStr for Proxies {
    type Err = &'static str;

    /// Comma-separated addresses and networks, `10.0.0.7, 192.168.0.0/16`; or `none`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let one = |text: &str| text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let named = text.split(',').map(str::trim).filter(|_| text != "none");
        named
            .map(one)
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(|_| "not addresses or networks, such as 10.0.0.7, 192.168.0.0/16")
    }
}

impl fmt::Display for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        let words = words.join(",");
        f.write_str(if words.is_empty() { "none" } else { &words })
    }
}

impl Proxies {
    /// Whether this address is a trusted proxy.
    #[must_use]
    pub(super) fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether any number of visitors may connect from this address: a trusted proxy or, as long
    /// as none is named, this machine, where an unnamed one may run.
    #[must_use]
    pub(super) fn is_shared(&self, address: IpAddr) -> bool {
        self.trust(address) || (self.0.is_empty() && address.is_loopback())
    }

    /// The network of a request's client: the last forwarded address that is not a trusted proxy,
    /// or the peer's. Earlier entries of the header are not trusted. `None` when the client is
    /// unknown, because the address is one that visitors share.
    #[must_use]
    pub fn network(&self, peer: IpAddr, headers: &HeaderMap) -> Option<Network> {
        let said = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
        let said: Vec<&str> = said.flat_map(|value| value.split(',')).map(str::trim).collect();
        let mut nearest = peer.to_canonical();
        for words in said.into_iter().rev() {
            if !self.trust(nearest) {
                break;
            }
            let with_port = || words.parse::<SocketAddr>().ok().map(|address| address.ip());
            let Some(next) = words.parse::<IpAddr>().ok().or_else(with_port) else { break };
            nearest = next.to_canonical();
        }
        (!self.is_shared(nearest)).then(|| Network::of(nearest))
    }

    /// What the headers of a request say about a wrong setting, if anything.
    #[must_use]
    pub fn misconfiguration(&self, peer: IpAddr, headers: &HeaderMap) -> Option<Misconfiguration> {
        let peer = peer.to_canonical();
        match (self.trust(peer), headers.contains_key(FORWARDED_FOR)) {
            (false, true) => Some(Misconfiguration::UntrustedForwarder(peer)),
            (true, false) => Some(Misconfiguration::SilentProxy(peer)),
            (true, true) | (false, false) => None,
        }
    }
}

/// A proxy and the setting of trusted proxies that do not fit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misconfiguration {
    /// Somebody who is not trusted names a client.
    #[error(
        "a request from {0} has the header X-Forwarded-For, which is ignored because \
         TRUSTED_PROXIES does not name that address; if it is your proxy, add it"
    )]
    UntrustedForwarder(IpAddr),
    /// A trusted proxy does not name its client.
    #[error(
        "a request from {0}, which TRUSTED_PROXIES names, has no header X-Forwarded-For; visitors \
         behind this proxy share all limits, and a kick cannot ban their network: let it send the \
         header"
    )]
    SilentProxy(IpAddr),
}

/// A client's network: an IPv4 address, or an IPv6 /64, which is one household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpNet);

impl Network {
    pub(super) fn of(address: IpAddr) -> Self {
        let bits = if address.is_ipv4() { 32 } else { 64 };
        Self(IpNet::new(address, bits).map_or_else(|_| IpNet::from(address), |net| net.trunc()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(peer: &str, forwarded: &[&str]) -> String {
        let proxies: Proxies = "127.0.0.1, 10.0.0.0/8, ::1".parse().unwrap();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let network = proxies.network(peer.parse().unwrap(), &headers);
        network.map_or_else(|| "unknown".to_owned(), |network| network.to_string())
    }

    #[test]
    fn only_a_trusted_proxy_says_whom_it_speaks_for() {
        for (peer, forwarded, expected) in [
            ("198.51.100.7", &[] as &[&str], "198.51.100.7/32"),
            ("198.51.100.7", &["192.0.2.1"], "198.51.100.7/32"),
            ("127.0.0.1", &[], "unknown"),
            ("127.0.0.1", &["192.0.2.1"], "192.0.2.1/32"),
            ("::ffff:127.0.0.1", &["192.0.2.1"], "192.0.2.1/32"),
            ("127.0.0.1", &["203.0.113.9, 192.0.2.1"], "192.0.2.1/32"), // The first is forged.
            ("127.0.0.1", &["203.0.113.9", "192.0.2.1, 10.1.2.3"], "192.0.2.1/32"),
            ("127.0.0.1", &["192.0.2.1:4711"], "192.0.2.1/32"),
            ("127.0.0.1", &["unknown, 10.1.2.3"], "unknown"),
            ("127.0.0.2", &[], "127.0.0.2/32"),
            ("::1", &["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
            ("::1", &["[2001:db8:1:2:9::9]:443"], "2001:db8:1:2::/64"),
        ] {
            assert_eq!(network(peer, forwarded), expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn without_a_named_proxy_a_visitor_of_this_machine_is_unknown() {
        let none: Proxies = "none".parse().unwrap();
        let forged = HeaderMap::from_iter([(
            http::HeaderName::from_static(FORWARDED_FOR),
            http::HeaderValue::from_static("192.0.2.1"),
        )]);
        for peer in ["127.0.0.1", "127.9.9.9", "::1"] {
            assert_eq!(none.network(peer.parse().unwrap(), &forged), None, "{peer}");
        }
        let peer = "198.51.100.7".parse().unwrap();
        assert_eq!(none.network(peer, &forged), Some(Network::of(peer)));
    }

    #[test]
    fn a_wrong_setting_is_seen_in_both_directions() {
        let proxies: Proxies = "10.0.0.0/8".parse().unwrap();
        let (proxy, stranger) = ("10.1.1.1".parse().unwrap(), "172.17.0.1".parse().unwrap());
        let mut headers = HeaderMap::new();
        assert_eq!(
            proxies.misconfiguration(proxy, &headers),
            Some(Misconfiguration::SilentProxy(proxy))
        );
        assert_eq!(proxies.misconfiguration(stranger, &headers), None);
        headers.append(FORWARDED_FOR, "192.0.2.1".parse().unwrap());
        assert_eq!(proxies.misconfiguration(proxy, &headers), None);
        let seen = proxies.misconfiguration(stranger, &headers).unwrap();
        assert_eq!(seen, Misconfiguration::UntrustedForwarder(stranger));
        assert!(
            seen.to_string().contains("172.17.0.1") && seen.to_string().contains("TRUSTED_PROXIES")
        );
    }

    #[test]
    fn what_is_no_list_of_networks_is_refused() {
        for text in ["proxy", "10.0.0.0/33", "10.0.0.1 10.0.0.2"] {
            assert!(text.parse::<Proxies>().is_err(), "{text}");
        }
        for text in ["none", "10.0.0.0/8,::1/128"] {
            assert_eq!(text.parse::<Proxies>().unwrap().to_string(), text);
        }
    }
}
