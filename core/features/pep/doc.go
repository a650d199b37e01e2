// Package pep makes each account of a host a publish-subscribe service (XEP-0163): its sessions publish, and its contacts
// are notified of what they want to know, as the capabilities of their sessions say.
//
// The nodes of an account, without their items, are a slot of the account: they are loaded when somebody asks for them or
// could be notified. The protocol is that of package pubsub, whose mailboxes are the only goroutines; there is no lock.
//
// Specification: XEP-0163.
package pep
