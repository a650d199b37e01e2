package ldap

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/identity"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// Directory is an identity.Passwords and an identity.Finder. Any goroutine may call its methods.
type Directory struct {
	settings config.LDAP
	address  string
	direct   bool        // TLS from the beginning
	tls      *tls.Config // nil: none
	slots    chan *slot
	fields   []field // of vCards
	cards    cards
}

// New checks the settings. It does not connect: a directory that is away when the server starts is asked later.
func New(c config.LDAP) (*Directory, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	d := &Directory{settings: c, direct: u.Scheme == "ldaps", slots: make(chan *slot, c.Connections), fields: parseFields(c.VCardFields)}
	d.cards.now, d.cards.reading = time.Now, make(chan struct{}, max(1, c.Connections/2))
	d.address = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), map[bool]string{true: "636", false: "389"}[d.direct]))
	if !c.Plain {
		if d.tls, err = identity.ClientTLS(c.CA, u.Hostname()); err != nil {
			return nil, err
		}
	}
	if _, err := ldap.CompileFilter(d.filter("x")); err != nil {
		return nil, fmt.Errorf("filter %q: %w", c.Filter, err)
	}
	if c.Base != "" {
		if _, err := ldap.ParseDN(c.Base); err != nil {
			return nil, fmt.Errorf("base %q: %w", c.Base, err)
		}
	}
	for range c.Connections {
		d.slots <- &slot{}
	}
	return d, nil
}

// Close closes the connections. No other method may be running.
func (d *Directory) Close() error {
	for range cap(d.slots) {
		s := <-d.slots
		for _, c := range []*connection{s.search, s.bind} {
			if c != nil {
				c.close()
			}
		}
	}
	return nil
}

// CheckPassword implements identity.Passwords.
func (d *Directory) CheckPassword(ctx context.Context, username, password string) (identity.Person, error) {
	if password == "" { // RFC 4513 §5.1.2: a bind without a password succeeds, and proves nothing
		return identity.Person{}, sasl.ErrRefused
	}
	var person identity.Person
	err := d.ask(ctx, func(ctx context.Context, s *slot) error {
		dn, found, err := d.find(ctx, s, username)
		if err != nil {
			return err
		}
		person = found
		return d.bind(ctx, s, dn, password)
	})
	if err != nil {
		return identity.Person{}, err
	}
	return person, nil
}

// Find implements identity.Finder.
func (d *Directory) Find(ctx context.Context, username string) (person identity.Person, err error) {
	err = d.ask(ctx, func(ctx context.Context, s *slot) error {
		_, person, err = d.find(ctx, s, username)
		return err
	})
	return person, err
}

// ask calls question with a slot, within the configured time.
func (d *Directory) ask(ctx context.Context, question func(context.Context, *slot) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(d.settings.Timeout))
	defer cancel()
	select {
	case s := <-d.slots:
		defer func() { d.slots <- s }()
		return question(ctx, s)
	case <-ctx.Done():
		return fmt.Errorf("all %d connections are in use: %w", cap(d.slots), ctx.Err())
	}
}

// find searches for the person of a user name.
func (d *Directory) find(ctx context.Context, s *slot, username string) (dn string, p identity.Person, err error) {
	entry, err := d.findEntry(ctx, s, username, nil)
	if err != nil {
		return "", p, err
	}
	subject, err := d.subject(entry)
	return entry.DN, identity.Person{Subject: subject, Name: username}, err
}

// findEntry searches for the entry of a user name, with what identifies it and more attributes.
func (d *Directory) findEntry(ctx context.Context, s *slot, username string, more []string) (*ldap.Entry, error) {
	attribute := d.settings.ID
	if attribute == "dn" {
		attribute = "1.1" // RFC 4511 §4.5.1.8: none
	}
	request := ldap.NewSearchRequest(d.settings.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 2, int(time.Duration(d.settings.Timeout)/time.Second)+1,
		false, d.filter(username), slices.Concat([]string{attribute}, d.names(), more), nil)
	var result *ldap.SearchResult
	err := d.use(ctx, &s.search, d.login, func(c *connection) (err error) {
		result, err = c.Search(request)
		return err
	})
	if ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) {
		return nil, fmt.Errorf("several entries have the name: %w", sasl.ErrRefused)
	}
	if err != nil {
		return nil, fmt.Errorf("search below %q: %w", d.settings.Base, err)
	}
	switch len(result.Entries) {
	case 0:
		return nil, fmt.Errorf("no entry has the name: %w", sasl.ErrRefused)
	case 1:
	default:
		return nil, fmt.Errorf("several entries have the name: %w", sasl.ErrRefused)
	}
	entry := result.Entries[0]
	if !d.hasName(entry, username) {
		return nil, fmt.Errorf("the entry has another name: %w", sasl.ErrRefused)
	}
	return entry, nil
}

// comparison is a part of a filter that compares an attribute with the user name.
var comparison = regexp.MustCompile(`\(([A-Za-z][A-Za-z0-9-]*)=%s\)`)

// names returns the attributes that the filter compares with the user name itself.
func (d *Directory) names() (list []string) {
	for _, match := range comparison.FindAllStringSubmatch(d.settings.Filter, -1) {
		list = append(list, match[1])
	}
	return list
}

// hasName reports whether one of the attributes that the filter compares is the user name. Directories compare more loosely than
// addresses, Active Directory without accents: another name would become an account with the subject of this one. Attributes that
// cannot be read are not compared.
func (d *Directory) hasName(e *ldap.Entry, username string) bool {
	read := false
	for _, attribute := range d.names() {
		for _, value := range e.GetEqualFoldAttributeValues(attribute) {
			read = true
			if name, err := jid.New(value, "localhost", ""); err == nil && name.Local() == username {
				return true
			}
		}
	}
	return !read
}

// subject returns what identifies an entry.
func (d *Directory) subject(e *ldap.Entry) (string, error) {
	if d.settings.ID == "dn" {
		dn, err := ldap.ParseDN(e.DN)
		if err != nil {
			return "", fmt.Errorf("the name of an entry: %w", err)
		}
		return strings.ToLower(dn.String()), nil
	}
	values := e.GetRawAttributeValues(d.settings.ID)
	switch {
	case len(values) != 1 || len(values[0]) == 0 || len(values[0]) > 1024:
		return "", fmt.Errorf("%s has not one %s: set id to an attribute that every person has once", e.DN, d.settings.ID)
	case !utf8.Valid(values[0]) || strings.ContainsRune(string(values[0]), 0): // objectGUID
		return "hex:" + hex.EncodeToString(values[0]), nil
	}
	return string(values[0]), nil
}

// login binds a connection that searches.
func (d *Directory) login(c *connection) error {
	if d.settings.BindDN == "" {
		return nil
	}
	if err := c.Bind(d.settings.BindDN, d.settings.Password); err != nil {
		return fmt.Errorf("log in to the directory as %s: %w", d.settings.BindDN, err)
	}
	return nil
}

// bind checks a password.
func (d *Directory) bind(ctx context.Context, s *slot, dn, password string) error {
	if dn == "" { // RFC 4513 §5.1.1: anonymous
		return errors.New("an entry without a name")
	}
	err := d.use(ctx, &s.bind, func(*connection) error { return nil }, func(c *connection) error { return c.Bind(dn, password) })
	if ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultNoSuchObject,
		ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultConstraintViolation) {
		return fmt.Errorf("%w: %w", sasl.ErrRefused, err)
	}
	if err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	return nil
}

// filter returns the search filter for a user name, in which the name is escaped (RFC 4515 §3).
func (d *Directory) filter(username string) string {
	return strings.ReplaceAll(d.settings.Filter, "%s", ldap.EscapeFilter(username))
}
