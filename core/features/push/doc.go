// Package push notifies push services of messages that no client in use has received (XEP-0357). A client enables its push service, which
// wakes it on its phone.
//
// A notification is sent for a message with a text, with encrypted content, or that begins a call, if none of the sessions that receive
// it is active: there is none, or all are inactive (XEP-0352) or detached (XEP-0198). When a session loses its connection and is detached, what its
// client has not acknowledged is told, too. It is a publish request from the account to the service. At most
// one of them is under way for each enabled service; what comes meanwhile is told by one more after the answer. A service that fails is
// left alone for a time that doubles; it is disabled after a number of errors in a row, or at once if it says that the node is gone.
// Messages of rooms are told to those whom package notification names: see Push.Room for those without a session in the room.
//
// What phones expect, by their source in 2026: Monal enables its service with an option (pushModule), which has to be in each notification, asks
// for one for each message that its cut session does not receive, and disables services that were never enabled; Siskin looks for a service of its kind
// among the host's items, registers with it by a command and enables it without options; it asks for no filters and encryption of its own where the
// account does not list them; Conversations enables its service with a secret as option.
//
// The data about an account is in a slot with one lock, which is not held across I/O. There is no goroutine.
//
// Specifications: XEP-0357 0.4.1, XEP-0492.
package push
