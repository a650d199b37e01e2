// Package last tells how long the server has been up, and to those who may see an
// account's presence how long it has been away (XEP-0012). Full addresses are the
// clients' own affair. It has no goroutine and no lock.
package last
