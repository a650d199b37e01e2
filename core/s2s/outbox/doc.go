// Package outbox keeps messages to other servers until these have them, so that the end of the process does not lose them: in a Store, which
// is on the disk, and by the stanza as it goes through queues, links and connections of package s2s, which says what becomes of it.
//
// A message is in the outbox from Add on, which comes before it is sent, until Release: the other server has acknowledged it (XEP-0198), or
// its sender has got an error. From a connection without XEP-0198 nobody learns whether the other server has it: it stays for settleWait after
// it was written, or until maxSettle others were written to the same domain, or until the stream ends properly. What is there when the
// process ends is sent again by the next one (Load). It may come twice then, with the same id and a delay (XEP-0203).
//
// Presence and requests are not kept, nor what may be lost: errors, headlines, messages without lasting content, those with the hints
// no-store and no-permanent-store (XEP-0334), and what rooms send to their occupants, who are gone after the end of the process, and find it
// in the archive of the room.
//
// The package starts no goroutine. The lock of an Outbox is a leaf, but for that of a Store.
package outbox
