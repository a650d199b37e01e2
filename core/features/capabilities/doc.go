// Package capabilities knows what the sessions of a host want to be notified of: it reads the capabilities that their
// presence announces (XEP-0115, XEP-0390), asks one session for what an unknown hash stands for, and checks the hash.
// What was checked is kept once for each hash, in a cache of limited size; a session only refers to it
// (router.Presence.Capabilities). An answer that does not have the announced hash counts for its sender alone.
//
// It does the same for the sessions of contacts on other hosts, whose presence the accounts of the host get: these sessions are a slot of
// the account, of limited size, from their presence until they become unavailable or an error says that they are not there. After a restart
// they are learned again when the account's sessions probe its contacts.
//
// There is no goroutine. The locks of the cache and of a slot are never held while something is sent or another function is called.
//
// Specifications: XEP-0115, XEP-0390.
package capabilities
