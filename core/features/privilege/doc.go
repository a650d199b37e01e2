// Package privilege lets configured components and gateways act on behalf of a host's accounts
// (XEP-0356): read and change their rosters (features/roster calls RosterAccess) and be told of changes in them, send messages
// and requests from their addresses, which are then treated as sent by the account (router.Pass.SendAs, router.IQ.RequestAs),
// and be told of the presence of accounts and their contacts. A carbon copy
// that they make in an account's name says that it has sent the message elsewhere (NoteSent). Only the
// configuration grants privileges. Components may use the namespace of version 0.3 too, which had rosters, messages and presence.
//
// It has no goroutine. The locks of Privileges and of presences are leaves.
//
// Specification: XEP-0356.
package privilege
