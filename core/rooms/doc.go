// Package rooms is the rooms of one domain (XEP-0045): a registry of the rooms of package room,
// which are created, loaded on demand, kept in a store, listed, and dropped from memory when
// idle. The rooms of a gateway and those of the served host are two [Policy] implementations of
// the same [Service].
//
//   - New(ctx, Options) makes a Service, Handle takes the stanzas for its domain, Stop ends it.
//   - Policy says what a room is loaded with (Open), whether it may be created (Create), who may
//     know of it (Sees), and which rooms somebody is shown (List).
//   - [Store] reads rooms and writes changes. A change has been committed before it is announced.
//     Without a Store, Policy.Open has the state of a room, as in a gateway.
//   - Call runs a function with a room and waits for it; Info and Items answer disco for the
//     service; Release and Adopt move a room between nodes; Stats counts.
//   - A gateway whose conversations have mailboxes of their own gives them as [Mailboxes] and
//     keeps a [Hosted] (Service.Hosted) in each conversation: Handle for stanzas, Do for all
//     else, Loaded for what matters only while the room is in memory, Flush after each batch,
//     Disposable, Close.
//   - [Sender] is where stanzas go; NewSender collects what a batch of jobs sends, so that each
//     receiver's socket is written to once.
//
// A room that is not persistent is removed from the store when the last session has left. A room
// that somebody may not see is answered exactly as one that does not exist, whatever they send:
// presence, messages, IQs (disco and the archive are among them); nor is it in their list.
//
// Each room runs on its mailbox (package mailbox), whose Group owns the goroutines. A Hosted and
// its room belong to that goroutine; the methods of Service may be called by any goroutine.
// There are no locks here.
//
// Specifications: XEP-0030, XEP-0045, XEP-0059.
package rooms
