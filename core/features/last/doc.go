// Package last answers requests for the server's uptime and for the time since an account's last logout
// (XEP-0012). The latter is answered to senders that may see the account's presence. Requests to full
// JIDs are delivered to the clients. It has no goroutine and no lock.
package last
