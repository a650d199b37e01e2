// Package accounts works on the accounts of a database as the command line does, whether or not a server runs: it makes, changes, lists,
// exports, imports and deletes them, and invites to new ones. It also says what the configuration decides about accounts: which names are
// reserved (Reserved), and how long archives are kept (Retention).
//
// The package starts no goroutine and has no lock.
package accounts
