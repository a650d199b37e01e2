package ldap

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/identity"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Limits of a vCard made of an entry.
const (
	nsVCard   = "vcard-temp"
	maxValues = 4    // of one attribute
	maxText   = 1024 // bytes of a value; longer ones are left out

	failedCard = 10 * time.Second // for how long a directory that has not answered is not asked again for the same vCard
)

// Card implements identity.Cards: it makes a vCard of the entry of a user name, or returns what it has made some minutes ago.
func (d *Directory) Card(ctx context.Context, username string) (identity.Card, error) {
	now := d.cards.now()
	if c, err, ok := d.cards.find(username, now); ok {
		return c, err
	}
	select { // half of the connections are left for logins
	case d.cards.reading <- struct{}{}:
		defer func() { <-d.cards.reading }()
	default:
		return identity.Card{}, errBusy
	}
	c, err := d.readCard(ctx, username)
	keep := time.Duration(d.settings.VCardCache)
	if err != nil && !errors.Is(err, sasl.ErrRefused) {
		keep = failedCard
	}
	d.cards.add(username, cachedCard{card: c, err: err, until: now.Add(keep)}, now)
	return c, err
}

var errBusy = errors.New("too many vCards are being read from the directory")

// readCard asks the directory. An entry with so large a picture that it is not read is asked for again without.
func (d *Directory) readCard(ctx context.Context, username string) (identity.Card, error) {
	fields := d.fields
	var found *ldap.Entry
	question := func(ctx context.Context, s *slot) error {
		var names []string
		for _, f := range fields {
			names = append(names, f.attribute)
		}
		entry, err := d.findEntry(ctx, s, username, names)
		found = entry
		return err
	}
	err := d.ask(ctx, question)
	if err != nil && !errors.Is(err, sasl.ErrRefused) && ctx.Err() == nil {
		fields = slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return f.property == "PHOTO" })
		if len(fields) < len(d.fields) {
			err = d.ask(ctx, question)
		}
	}
	if err != nil {
		return identity.Card{}, err
	}
	subject, err := d.subject(found)
	if err != nil {
		return identity.Card{}, err
	}
	c := identity.Card{Subject: subject, Prevails: d.settings.VCard == config.VCardDirectory}
	if element := vCard(fields, found, d.settings.VCardBytes); len(element.Nodes) > 0 {
		c.Element = element
	}
	return c, nil
}

// field is what an attribute becomes in a vCard (XEP-0054 §3).
type field struct{ property, part, attribute string }

// parseFields reads the setting vcard_fields, which was checked.
func parseFields(list []string) []field {
	fields := make([]field, 0, len(list))
	for _, text := range list {
		name, attribute, _ := strings.Cut(text, "=")
		property, part, _ := strings.Cut(name, ".")
		fields = append(fields, field{property, part, attribute})
	}
	return fields
}

// vCard makes a vCard of an entry, without what is too long. The first attribute that the entry has becomes a property which a person
// has once.
func vCard(fields []field, e *ldap.Entry, max int64) *stanza.Element {
	card := stanza.NewElement(nsVCard, "vCard")
	photo := (*stanza.Element)(nil)
	for _, f := range fields {
		if f.property == "PHOTO" {
			if photo == nil {
				photo = picture(e, f.attribute)
			}
			continue
		}
		for _, value := range texts(e, f.attribute) {
			f.add(card, value)
		}
	}
	for int64(card.EncodedLen()) > max { // hardly ever: there are few properties of 1 KiB each
		card.Nodes = card.Nodes[:len(card.Nodes)-1]
	}
	if photo != nil {
		if card.Add(photo); int64(card.EncodedLen()) > max {
			card.Nodes = card.Nodes[:len(card.Nodes)-1]
		}
	}
	return card
}

// add adds a value to a vCard.
func (f field) add(card *stanza.Element, value string) {
	element := card.Child(nsVCard, f.property)
	switch f.property {
	case "EMAIL":
		card.Add(stanza.NewElement(nsVCard, "EMAIL").Add(stanza.NewElement(nsVCard, "INTERNET"), stanza.TextElement(nsVCard, "USERID", value)))
	case "TEL":
		card.Add(stanza.NewElement(nsVCard, "TEL").Add(stanza.NewElement(nsVCard, f.part), stanza.TextElement(nsVCard, "NUMBER", value)))
	case "N", "ORG", "ADR":
		if element == nil {
			element = stanza.NewElement(nsVCard, f.property)
			if f.property == "ADR" {
				element.Add(stanza.NewElement(nsVCard, "WORK"))
			}
			card.Add(element)
		}
		if element.Child(nsVCard, f.part) == nil {
			element.Add(stanza.TextElement(nsVCard, f.part, value))
		}
	default:
		if element == nil {
			card.Add(stanza.TextElement(nsVCard, f.property, value))
		}
	}
}

// texts returns the values of an attribute that can be sent.
func texts(e *ldap.Entry, attribute string) (list []string) {
	for _, value := range e.GetEqualFoldAttributeValues(attribute) {
		value = strings.TrimSpace(value)
		if value == "" || len(value) > maxText || !utf8.ValidString(value) || strings.ContainsFunc(value, isControl) {
			continue
		}
		if list = append(list, value); len(list) == maxValues {
			break
		}
	}
	return list
}

// isControl reports characters that are not text; XML cannot have most of them.
func isControl(r rune) bool {
	return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r == 0xfffe || r == 0xffff || r == utf8.RuneError
}

// picture returns the first picture of an attribute.
func picture(e *ldap.Entry, attribute string) *stanza.Element {
	for _, a := range e.Attributes {
		if !strings.EqualFold(a.Name, attribute) {
			continue
		}
		for _, data := range a.ByteValues {
			switch kind := http.DetectContentType(data); kind {
			case "image/jpeg", "image/png", "image/gif", "image/webp":
				return stanza.NewElement(nsVCard, "PHOTO").Add(
					stanza.TextElement(nsVCard, "TYPE", kind), stanza.TextElement(nsVCard, "BINVAL", base64.StdEncoding.EncodeToString(data)))
			}
		}
	}
	return nil
}
