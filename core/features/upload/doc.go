// Package upload lets accounts upload files over HTTP and share them by their address (XEP-0363).
//
// Service answers at a domain of one host: it checks a request for a slot, and Store adds the file, within the account's quota, before
// the slot is given away. Uploads is what all hosts share: the HTTP handlers, and the janitor that deletes files whose time is over and
// slots that nobody used.
//
// The address of a file contains a random id of 160 bits, which nobody can guess. Who uploads needs a token too, which the slot has as
// an Authorization header: it is signed and bound to the id, the name, the size, the type and a time, so that forged and changed ones are
// refused before the database is asked. A slot is used once: Uploads has the ids that are being written, and Store marks the
// file as stored. Only then is it visible. A file that is being deleted is deleted from Files first and from Store then, so that nothing
// is left if the process is killed between the two.
//
// With Direct, clients send files to the storage themselves. The size is signed with the address. Whether the storage refuses another size is
// tried at the start, and the size of each file is checked. Nobody tells this server that a file has come: it looks when the file is asked
// for. As long as its address is good the file can be replaced, so it counts as stored only afterwards. What is sent for a slot after its
// account was deleted is deleted when the time of the slot is over; after a restart in between it stays in the storage, where nobody can get it.
//
// What users upload never runs in a browser as a page of this server: see web.ContentType and web.SecureContent.
//
// Run owns the only goroutine besides those of the HTTP server. Uploads has one lock, which is not held across I/O.
//
// Specification: XEP-0363 1.2.0.
package upload
