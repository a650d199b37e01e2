package portable

import (
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Record is one part of an account. Exactly one field besides Account is set.
type Record struct {
	Account jid.JID

	Made        *Made           // the first record of an account
	Key         *Key            // from which a password can be checked
	Contact     *roster.Item    // of the roster
	Request     *stanza.Stanza  // an unanswered subscription request of another account
	VCard       *stanza.Element // vcard-temp (XEP-0054)
	Private     *stanza.Element // private XML storage (XEP-0049)
	Blocked     jid.JID         // a blocked address (XEP-0191)
	Node        *NodePart       // what a node of the account is, without its items
	Item        *NodeItem       // an item of a node
	Preferences *archive.Prefs  // of the archive (XEP-0441)
	Offline     *Message        // a message that waits for the account
	Archived    *Message        // a message in the account's archive
	Unknown     string          // what cannot be imported, for a warning
}

// Made is the account itself.
type Made struct {
	Created  time.Time // zero: now
	Password string    // "": none, or unknown
	Barred   bool      // only from Export: its keys are left out because it may not log in now; no format has it
}

// Key is the key of one SCRAM mechanism.
type Key struct {
	Hash sasl.Hash
	sasl.Key
}

// Message is a stored message.
type Message struct {
	ID     string // "": none
	At     time.Time
	Stanza *stanza.Stanza
}

// Report counts what was imported.
type Report struct {
	Accounts, Contacts, Offline, Archived int
	Existing                              int      // messages that were there already
	Late                                  int      // messages that are older than those in the archive, and are not there
	Skipped                               []string // what was not imported, and why
	More                                  int      // entries of Skipped that were left out
}

// maxSkipped is the number of entries in Report.Skipped.
const maxSkipped = 100

// skip records that something was not imported.
func (r *Report) skip(account jid.JID, why string) {
	if len(r.Skipped) >= maxSkipped {
		r.More++
		return
	}
	r.Skipped = append(r.Skipped, account.String()+": "+why)
}
