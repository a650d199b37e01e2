// Package httpcheck asks a web service whether a password is right.
//
// # The question
//
// A POST request to the configured URL with the header "Authorization: Bearer " and the secret, and a JSON object:
//
//	{"action": "check", "host": "example.org", "username": "ann", "password": "pencil"}
//	{"action": "find", "host": "example.org", "username": "ann"}
//
// The user name is the localpart of the account's address, in its canonical form. The second question is asked only if find is set: is there
// such a user?
//
// # The answer
//
// Status 200 and a JSON object of at most 64 KiB:
//
//	{"ok": true, "id": "4711"}
//	{"ok": false}
//
// The id, which may be left out, is what identifies the person for ever: if the name is given to somebody else later, their id is another
// one, and they do not get the account. Everything else, such as another status, a redirection or no answer in time, means that the
// password was not checked: the client is asked to try again later.
//
// Any goroutine may call the methods; the connections are those of one http.Client.
package httpcheck
