// Package identity decides which back end checks the password or the token of an account, and makes accounts for people that a back end
// knows. Below it are the back ends: ldap, httpcheck, jwt and oidc. Package revoked knows which certificates of clients were revoked.
//
// An account belongs to one back end for as long as it exists: the one by which it was made. No other back end is asked for its
// password, so that a name that two back ends know cannot be used to get at somebody else's account. In the account the subject is
// kept, which is what the back end says a person is, whatever their name; a person with the same name and another subject never gets the account.
//
// For a name without an account the back ends are asked in the order of the configuration. The first that accepts the password gets
// a new account made, unless one before it did not answer: it may know the name too.
//
// Logins are not kept here: each one asks. A back end limits the time of each question; other logins go on meanwhile.
//
// A back end that knows more about people than their names can have their vCards (Cards).
//
// There is no goroutine and no lock.
//
// Specifications: RFC 4616, RFC 7628, XEP-0493.
package identity
