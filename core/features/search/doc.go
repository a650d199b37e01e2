// Package search is the user directory of one host, a service at a domain of its own. Nobody is in it who has not entered
// themselves: an account registers there with the names that others may find it by (XEP-0077, or an ad-hoc command of the
// service for clients that show only those), and takes itself out in the same way. A vCard enters nobody.
//
// What is asked for matches whole words, without regard to case; a * at the end stands for the rest of a word, after two
// characters at least. Only accounts of this server may search. Accounts that have blocked the searcher are not found by
// them (XEP-0191 §5).
//
// There is no goroutine and no lock: searches run in the searcher's goroutine and are limited by account.
//
// Specifications: XEP-0055, XEP-0059, XEP-0077, XEP-0050.
package search
