// Package last answers how long the server has been up, and for those who may see an account's
// presence how long it has been away (XEP-0012). Requests to full addresses are the clients' to
// answer. It has no goroutine and no lock.
package last
