package portable

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/features/blocking"
	"github.com/dragoman-im/dragoman/core/features/offline"
	"github.com/dragoman-im/dragoman/core/features/private"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/moderation"
)

// maxPending is the number of messages that are being written at the same time.
const maxPending = 1000

// maxName is the length of the name of a contact or a group, in bytes.
const maxName = 1023

// After how many accounts and messages progress is told.
const (
	progressAccounts = 1000
	progressMessages = 100_000
)

// maxID is the length of a message's id that is kept; a longer one is replaced.
const maxID = 128

// ImportOptions are the parameters of NewImporter.
type ImportOptions struct {
	Hosts      []string // served domains; accounts of others are skipped
	Iterations int      // for keys of passwords that come in clear
	Merge      bool     // accounts that exist get what they lack; otherwise they are skipped
	Message    int      // the largest message, in bytes
	VCard      int      // the largest vCard, in bytes
	Nodes      pubsub.Limits
}

// Importer writes records to a store. Records of one account come in a row. Call Close at the end.
type Importer struct {
	Report   Report
	Progress func(Report) // called now and then; may be nil

	store   *store.Store
	options ImportOptions
	account jid.JID // that records are accepted for
	skipped jid.JID // that they are not accepted for
	existed bool
	last    time.Time // of the newest message in its archive before the import; zero: none

	nodes nodesOf // of the account

	results chan error
	begun   int // messages
	pending int
	failed  error // the first error of a message
}

// NewImporter returns an Importer.
func NewImporter(s *store.Store, o ImportOptions) *Importer {
	return &Importer{store: s, options: o, results: make(chan error, maxPending)}
}

// Import writes all records. It ends with the first error of the source or the store; what one record lacks is told in Report.
func (im *Importer) Import(ctx context.Context, records func(yield func(Record, error) bool)) error {
	for r, err := range records {
		if err == nil {
			err = im.Add(ctx, r)
		}
		if err != nil {
			return errors.Join(err, im.Close())
		}
	}
	return im.Close()
}

// Close waits until everything is written.
func (im *Importer) Close() error {
	for im.pending > 0 {
		im.receive()
	}
	return im.failed
}

// Add writes one record.
func (im *Importer) Add(ctx context.Context, r Record) error {
	if r.Made != nil {
		return im.begin(ctx, r)
	}
	switch {
	case r.Account.IsZero() || r.Account == im.skipped:
		return nil
	case r.Account != im.account:
		return fmt.Errorf("data of %s comes before the account itself", r.Account)
	}
	err := im.write(ctx, r)
	if why := refusal(err); why != "" {
		im.Report.skip(r.Account, why)
		return nil
	}
	return err
}

// begin makes the account, if it is one of ours and new.
func (im *Importer) begin(ctx context.Context, r Record) error {
	im.account, im.skipped, im.existed, im.nodes = jid.JID{}, r.Account, false, nodesOf{}
	if !r.Account.IsBare() || r.Account.Local() == "" || !slices.Contains(im.options.Hosts, r.Account.Domain()) {
		im.Report.skip(r.Account, "the domain is not served here: server.hosts does not name it")
		return nil
	}
	var c sasl.Credentials
	if r.Made.Password != "" {
		var err error
		if c, err = sasl.NewCredentials(r.Made.Password, im.options.Iterations); err != nil {
			im.Report.skip(r.Account, "the password is not imported: "+err.Error())
		}
	}
	err := im.store.CreateAccount(ctx, r.Account, c)
	switch {
	case errors.Is(err, store.ErrAccountExists) && !im.options.Merge:
		im.Report.skip(r.Account, "the account exists already; with --merge it gets what it lacks")
		return nil
	case errors.Is(err, store.ErrAccountExists):
		im.existed = true
	case errors.Is(err, store.ErrBeingRemoved):
		im.Report.skip(r.Account, "an old account of that name is still being deleted")
		return nil
	case err != nil:
		return err
	}
	_, last, err := im.store.Ends(ctx, r.Account)
	if err != nil {
		return err
	}
	im.last = last.At
	im.account, im.skipped = r.Account, jid.JID{}
	if im.Report.Accounts++; im.Report.Accounts%progressAccounts == 0 {
		im.progress()
	}
	return nil
}

// write writes one record of the present account.
func (im *Importer) write(ctx context.Context, r Record) error {
	switch {
	case r.Key != nil:
		return im.key(ctx, r.Key)
	case r.Contact != nil:
		return im.contact(ctx, *r.Contact)
	case r.Request != nil:
		return im.request(ctx, r.Request)
	case r.VCard != nil:
		return im.vcard(ctx, r.VCard)
	case r.Private != nil:
		return im.private(ctx, r.Private)
	case !r.Blocked.IsZero():
		_, err := moderation.New(im.store, slog.New(slog.DiscardHandler)).Block(ctx, r.Account, []jid.JID{r.Blocked}, nil, nil)
		return err
	case r.Node != nil:
		return im.node(ctx, r.Node)
	case r.Item != nil:
		return im.item(ctx, r.Item)
	case r.Preferences != nil:
		if im.existed {
			return nil
		}
		return im.store.SetPrefs(ctx, r.Account, *r.Preferences)
	case r.Offline != nil:
		return im.offline(r.Offline)
	case r.Archived != nil:
		return im.archived(ctx, r.Archived)
	case r.Unknown != "":
		im.Report.skip(r.Account, r.Unknown)
	}
	return nil
}

// key adds a key to a new account.
func (im *Importer) key(ctx context.Context, k *Key) error {
	if im.existed {
		return nil // it keeps its password
	}
	if err := k.Valid(k.Hash); err != nil {
		im.Report.skip(im.account, "a key is not imported: "+err.Error())
		return nil
	}
	c, err := im.store.Credentials(ctx, im.account)
	if err != nil {
		return err
	}
	c.Keys[k.Hash] = k.Key
	return im.store.SetCredentials(ctx, im.account, c)
}

func (im *Importer) contact(ctx context.Context, item roster.Item) error {
	item.JID = item.JID.Bare()
	if item.JID == im.account {
		return nil
	}
	if len(item.Name) > maxName || slices.ContainsFunc(item.Groups, func(g string) bool { return len(g) > maxName }) {
		im.Report.skip(im.account, "the contact "+item.JID.String()+" is not imported: its name, or that of a group, is too long")
		return nil
	}
	err := im.store.ChangeRoster(ctx, im.account, item.JID, func(e *roster.Entry) error {
		if !e.Listed {
			e.Item, e.Listed = item, true
		}
		return nil
	}, nil)
	if err == nil {
		im.Report.Contacts++
	}
	return err
}

func (im *Importer) request(ctx context.Context, st *stanza.Stanza) error {
	contact := st.From.Bare()
	st = st.WithTo(im.account).WithFrom(contact)
	return im.store.ChangeRoster(ctx, im.account, contact, func(e *roster.Entry) error {
		if e.Request == nil && !e.Subscription.HasFrom() {
			e.Request = st
		}
		return nil
	}, nil)
}

func (im *Importer) vcard(ctx context.Context, x *stanza.Element) error {
	text := stanza.Encode(x)
	if len(text) > im.options.VCard {
		im.Report.skip(im.account, fmt.Sprintf("a vCard of %d bytes is not imported: limits.vcard_bytes allows %d", len(text), im.options.VCard))
		return nil
	}
	if im.existed {
		if had, err := im.store.VCard(ctx, im.account); had != "" || err != nil {
			return err
		}
	}
	return im.store.SetVCard(ctx, im.account, text)
}

func (im *Importer) private(ctx context.Context, x *stanza.Element) error {
	if im.existed {
		if had, err := im.store.Private(ctx, im.account, x.Space, x.Local); had != "" || err != nil {
			return err
		}
	}
	return im.store.SetPrivate(ctx, im.account, []private.Item{{Space: x.Space, Name: x.Local, XML: stanza.Encode(x)}})
}

func (im *Importer) offline(m *Message) error {
	if m.ID == "" {
		m.ID = stanzaID(m.Stanza, im.account) // the archive has it under this id
	}
	if !im.prepare(m) {
		return nil
	}
	st := m.Stanza.WithTo(im.account)
	st.Entry = m.ID
	im.start()
	im.store.AddOffline(im.account, offline.Message{ID: m.ID, Stanza: st, Received: m.At}, im.finish)
	im.Report.Offline++
	return im.failed
}

// drift is how much later than its time a message may be in an archive, because many have the same time.
const drift = time.Minute

// archived adds a message to the archive. The archive is in the order of arrival, so that a message that is older than
// those that were there before the import cannot be added.
func (im *Importer) archived(ctx context.Context, m *Message) error {
	if !im.prepare(m) {
		return nil
	}
	if !im.last.IsZero() && m.At.Before(im.last.Add(-drift)) {
		found, err := im.store.HasArchived(ctx, im.account, m.ID)
		if found {
			im.Report.Existing++
		} else {
			im.Report.Late++
		}
		return err
	}
	im.start()
	im.store.Archive(im.account, archive.Entry{ID: m.ID, At: m.At, Stanza: m.Stanza}, im.finish)
	im.Report.Archived++
	return im.failed
}

// stanzaID is the id that an account's archive has for a message (XEP-0359), or "".
func stanzaID(st *stanza.Stanza, account jid.JID) string {
	for e := range st.Tree().Named(message.NSStanzaID, "stanza-id") {
		if e.Attr("by") == account.String() {
			return e.Attr("id")
		}
	}
	return ""
}

// prepare gives a message an id and reports whether it can be imported.
func (im *Importer) prepare(m *Message) bool {
	if size := len(m.Stanza.Payload) + len(m.Stanza.Extra); size > im.options.Message {
		im.Report.skip(im.account, fmt.Sprintf("a message of %d bytes is not imported: limits.stanza_bytes allows %d", size, im.options.Message))
		return false
	}
	m.identify()
	return true
}

func (im *Importer) progress() {
	if im.Progress != nil {
		im.Progress(im.Report)
	}
}

// start waits until one more message may be written.
func (im *Importer) start() {
	for im.pending >= maxPending {
		im.receive()
	}
	im.pending++
	if im.begun++; im.begun%progressMessages == 0 {
		im.progress()
	}
}

// finish is called by the store's writer.
func (im *Importer) finish(err error) { im.results <- err }

func (im *Importer) receive() {
	err := <-im.results
	im.pending--
	switch {
	case errors.Is(err, archive.ErrTwice):
		im.Report.Archived--
		im.Report.Existing++
	case err != nil && im.failed == nil:
		im.failed = err
	}
}

// identify gives the message an id that depends only on its content, unless it has one: an import that is repeated finds
// it again.
func (m *Message) identify() {
	if m.ID != "" && len(m.ID) <= maxID {
		return
	}
	sum := sha256.Sum256([]byte(m.ID + m.Stanza.String()))
	id := [16]byte(sum[:16])
	binary.BigEndian.PutUint64(id[:], uint64(m.At.UnixMilli())<<16|uint64(binary.BigEndian.Uint16(id[6:])))
	fraction := m.At.Sub(m.At.Truncate(time.Millisecond)).Nanoseconds() >> 8
	binary.BigEndian.PutUint16(id[6:], 7<<12|uint16(fraction))
	id[8] = id[8]&0x3f | 0x80 // RFC 9562 §4.1
	m.ID = stanza.FormatUUID(id)
}

// refusal says why the store does not take a record, or "" if err is nil or another error.
func refusal(err error) string {
	switch {
	case errors.Is(err, private.ErrFull):
		return "private XML beyond limits.private_bytes or limits.private_items is not imported"
	case errors.Is(err, roster.ErrFull):
		return "a contact beyond limits.roster_items or limits.roster_bytes is not imported"
	case errors.Is(err, blocking.ErrFull):
		return "a blocked address beyond limits.blocked is not imported"
	case stanzaError(err) != nil:
		return "not imported: " + stanzaError(err).Error()
	}
	return ""
}

func stanzaError(err error) *stanza.Error {
	e, _ := errors.AsType[*stanza.Error](err)
	return e
}
