//! Finds free ports of the loopback address.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;

use anyhow::{Context, Result};

/// Below the ports that the system gives to outgoing connections (`ip_local_port_range`).
const POOL: RangeInclusive<u16> = 10_000..=29_000;
const TRIES: usize = 1000;

/// Whether the port is free.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The first of `count` free ports in a row.
pub(crate) fn free_row(count: u16) -> Result<u16> {
    // Random, so that two searches at the same time rarely find the same ports.
    let mut firsts = (0..TRIES).map(|_| rand::random_range(POOL));
    let free = firsts.find(|first| (*first..first + count).all(is_free));
    free.with_context(|| format!("no {count} free ports in a row"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_somebody_listens_on_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_free(listener.local_addr().unwrap().port()));
    }

    #[test]
    fn a_row_of_free_ports_lies_below_those_for_clients() {
        assert!(POOL.contains(&free_row(5).unwrap()));
    }
}
