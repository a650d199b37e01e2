// Package register implements changing the password, deleting the account and, if the operator allows
// it, creating an account (XEP-0077).
// After login the session determines the account, never the content of the request. Before login it
// answers requests to create an account. The store keeps only SCRAM keys of passwords.
// There is no lock and no goroutine.
//
// Specification: XEP-0077.
package register
