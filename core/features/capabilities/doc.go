// Package capabilities knows what the sessions of a host want to be notified of: it reads the capabilities that their
// presence announces (XEP-0115, XEP-0390), asks one session for what an unknown hash stands for, and checks the hash.
// What was checked is kept once for each hash, in a cache of limited size; a session only refers to it
// (router.Presence.Capabilities). An answer that does not have the announced hash counts for its sender alone.
//
// There is no goroutine. The lock of the cache is never held while something is sent or another function is called.
//
// Specifications: XEP-0115, XEP-0390.
package capabilities
