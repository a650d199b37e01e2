// Package puppets shows the people of a network to XMPP users: their profiles, their presence, and roster items
// for them.
//
// Directory knows people: in memory, in the store, and by asking the network (Profile). Photos reads their pictures. A gateway knows
// the people of all logins; an XMPP user is shown only whom one of their own logins sees (Sees).
// Presence carries presence both ways. Roster brings contacts into rosters: by privilege
// (XEP-0356) where the server grants it, else by subscriptions and suggestions (XEP-0144). Where the server grants the presence of
// users, the gateway knows it whether it is in their rosters or not.
// Search finds people. Requests are IQs of ours that wait for an answer.
//
// No goroutine is started here besides those of the gateway's Group. Locks: one for each type, not held across
// I/O; all are leaves but Presence.mu, which is taken before logins.Login.mu.
//
// Specifications: XEP-0054, 0055, 0100, 0153, 0144, 0172, 0356, RFC 6121.
package puppets
