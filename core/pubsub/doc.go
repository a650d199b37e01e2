// Package pubsub implements the protocol of publish-subscribe services (XEP-0060) for one or many
// services: the accounts of a host, of which each is a service of its own (XEP-0163), or a domain.
//
// An Engine answers requests. What it knows about the nodes of a service is an immutable Nodes, which
// the Host holds; items are read from the Store. A request that changes something runs as a job in the
// mailbox of its service: it checks the request, writes, waits for the commit, changes the Nodes and sends
// the notifications. So changes and notifications of a service have one order, and a request is answered
// when what it has changed is on the disk and everybody was notified. Requests that only read do not
// wait for the mailbox.
//
// Goroutines are those of the mailboxes, and of who makes a request while its service has no other; Stop waits for them. There is no lock.
//
// Specification: XEP-0060.
package pubsub
