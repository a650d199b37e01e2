// Package pubsubdomain is the publish-subscribe service of a host, at a domain of its own (XEP-0060).
//
// Its nodes, without their items, are loaded by the first request and stay in memory; they are changed in the order of the
// service's mailbox, which has the only goroutine. There is no lock.
package pubsubdomain
