package archives

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// An archived message is kept in a form that is read without a parser: the version, the kind, then to, from, id,
// type, lang and the further attributes, each with its length before it, then the payload as it came.
// Releases before this form kept XML, which begins with '<'.
const formVersion = 1

// formStamp is set in the kind of a message to which the receiver's stanza-id is to be added (XEP-0359 §3.1). It
// is not kept, so that sender and receiver have the same message.
const formStamp = 0x80

func appendForm(dst []byte, st *stanza.Stanza, payload string, stamped bool) []byte {
	kind := byte(st.Kind)
	if stamped {
		kind |= formStamp
	}
	dst = append(dst, formVersion, kind)
	for _, field := range [...]string{st.To.String(), st.From.String(), st.ID, st.Type, st.Lang, st.Extra} {
		dst = binary.AppendUvarint(dst, uint64(len(field)))
		dst = append(dst, field...)
	}
	return append(dst, payload...)
}

var errForm = errors.New("archived message is damaged")

// parseForm reads a message as it is in the archive of an account under an id.
func parseForm(data []byte, account jid.JID, id string) (*stanza.Stanza, error) {
	if len(data) == 0 {
		return nil, errForm
	}
	if data[0] == '<' {
		return stanza.Parse(string(data))
	}
	if data[0] != formVersion || len(data) < 2 {
		return nil, errForm
	}
	st := &stanza.Stanza{Kind: stanza.Kind(data[1] &^ formStamp)}
	text := string(data[2:]) // one piece of memory for all
	var to, from string
	for _, field := range [...]*string{&to, &from, &st.ID, &st.Type, &st.Lang, &st.Extra} {
		n, used := uvarint(text)
		if used <= 0 || n > uint64(len(text)-used) {
			return nil, errForm
		}
		*field, text = text[used:used+int(n)], text[used+int(n):]
	}
	var err error
	if st.To, err = parseAddress(to); err == nil {
		st.From, err = parseAddress(from)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errForm, err)
	}
	st.Payload = text
	if data[1]&formStamp != 0 && !isSender(account, st) {
		st.Payload = string(message.AppendStanzaID([]byte(text), account, id))
	}
	return st, nil
}

// uvarint is binary.Uvarint for a string.
func uvarint(s string) (n uint64, used int) {
	return binary.Uvarint([]byte(s[:min(len(s), binary.MaxVarintLen64)]))
}

func parseAddress(s string) (jid.JID, error) {
	if s == "" {
		return jid.JID{}, nil
	}
	return jid.Parse(s)
}

// isSender reports whether a message is in the account's archive because the account has sent it. What goes
// to oneself is archived as it comes in.
func isSender(account jid.JID, st *stanza.Stanza) bool {
	return st.From.Bare() == account && st.To.Bare() != account
}

// peerOf is the other side of a message in the account's archive.
func peerOf(account jid.JID, st *stanza.Stanza) jid.JID {
	if st.From.Bare() == account {
		return st.To
	}
	return st.From
}

// contactHash is the number by which the entries of one contact are found: FNV-1a of the bare address, in as
// many bits as SQLite keeps in six bytes. Entries are compared with the address itself, too.
func contactHash(contact jid.JID) int64 { return contactTextHash(contact.Bare().String()) }

func contactTextHash(contact string) int64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := range len(contact) {
		h = (h ^ uint64(contact[i])) * prime
	}
	return int64((h ^ h>>47) & (1<<47 - 1))
}
