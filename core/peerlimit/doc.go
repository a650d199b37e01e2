// Package peerlimit limits what peers that have not authenticated can make a server do.
//
// Connections limits open connections, new ones and what is done for them from one network, and ends idle ones that have not authenticated in favour
// of new ones. Guesses limits wrong passwords and secrets from one network, and for one name from all networks together. Quota
// limits the accounts that are registered from one network, and Requests other requests.
//
// A network is what one subscriber has: an IPv4 address or an IPv6 /64. Each IPv6 /48 has limits of its own, which are
// wideFactor times higher, because one subscriber may have a /48. A peer must not wait for what others do behind the
// same address as far as the two can be told apart: that is stated at each type.
//
// Memory does not grow with the number of addresses and names that peers try. Guesses, Quota and Requests count in tables of fixed size by
// a keyed hash, so that an attacker cannot choose names that share an entry. All times are monotonic: a change of the clock has
// no effect.
//
// All types may be used by several goroutines. Each has one lock, which is held for no call of a function of the caller. There is no
// goroutine.
package peerlimit
