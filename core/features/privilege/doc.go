// Package privilege lets configured components and gateways act for the users of a host
// (XEP-0356): read and change their rosters (features/roster asks RosterAccess), and send
// messages in their names. Nobody gets a privilege but by the configuration. It has no
// goroutine and no lock.
//
// Specification: XEP-0356.
package privilege
