// Package rooms manages the rooms of one domain (XEP-0045): a registry of the rooms of package room,
// which are created, loaded on demand, stored, listed, and dropped from memory when
// idle. The rooms of a gateway and those of the server itself are two [Policy] implementations of
// the same [Service].
//
//   - New(ctx, Options) returns a Service, Handle handles the stanzas for its domain, Stop ends it.
//   - Policy decides the initial state of a loaded room (Open), whether it may be created (Create), who may
//     know that it exists (Sees), and which rooms an account gets in a list (List).
//   - [Store] reads rooms and writes changes. A change is committed before it is announced.
//     Without a Store, Policy.Open supplies the state of a room, as in a gateway.
//   - Call runs a function with a room and waits for it; Info and Items answer disco for the
//     service; Release and Adopt move a room between nodes; Stats returns counts.
//   - A gateway that has a mailbox for each conversation passes its mailboxes as [Mailboxes] and
//     keeps a [Entry] (Service.NewEntry) in each conversation. It calls Handle with stanzas, Do to use
//     the room, Loaded if only a loaded room is concerned, and Flush after each batch of jobs;
//     Disposable and Close are for dropping the room from memory.
//   - [Sender] receives the stanzas that rooms send; NewSender returns one that collects the stanzas of a batch of
//     jobs, so that each receiver's socket is written to once.
//
// A room that is not persistent is removed from the store when the last session has left. An account
// that may not see a room gets exactly the answers of a room that does not exist, to
// presence, messages and IQs (including disco and the archive), and the room is not in its list.
//
// Each room runs on its mailbox (package mailbox), whose Group owns the goroutines. An Entry and
// its room belong to that goroutine; the methods of Service may be called by any goroutine.
// The package has no locks.
//
// Specifications: XEP-0030, XEP-0045, XEP-0059.
package rooms
