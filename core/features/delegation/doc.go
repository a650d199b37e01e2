// Package delegation passes requests in some namespaces, to a host or to one of its accounts, on to components that answer them in
// place of the server (XEP-0355). In admin mode the configuration delegates. In client mode an entity asks, and the account allows it for as long
// as its session lasts, for namespaces that the configuration names. What a component says about the namespaces in
// service discovery takes the place of what the features of the server that handle them say.
//
// A request waits for its answer in the host (router.Host.Request), and the sender's further stanzas do not wait for it. There is no
// goroutine. The locks of Delegation and of what an account has allowed are leaves.
//
// Specification: XEP-0355.
package delegation
