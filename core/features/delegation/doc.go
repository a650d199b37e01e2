// Package delegation passes requests in some namespaces, to a host or to one of its accounts, on to components that answer them in
// place of the server (XEP-0355, admin mode: only the configuration delegates). What a component says about the namespaces in
// service discovery takes the place of what the features of the server that handle them say.
//
// A request waits for its answer in the host (router.Host.Request), and the sender's further stanzas do not wait for it. There is no
// goroutine. The lock of Delegation is a leaf.
//
// Specification: XEP-0355.
package delegation
