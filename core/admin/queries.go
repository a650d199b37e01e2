package admin

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Account is what there is to know about an account.
type Account struct {
	JID     jid.JID
	Created time.Time
	State   sasl.State
}

// Contact is an item of an account's contact list.
type Contact struct {
	JID                jid.JID
	Name, Subscription string
	Groups             []string
}

// AccountReader reads accounts.
type AccountReader interface {
	// Account returns ErrNoAccount if there is no such account.
	Account(ctx context.Context, account jid.JID) (Account, error)
	// Count counts the accounts of a host, or those of them that are disabled.
	Count(ctx context.Context, host jid.JID, disabledOnly bool) (int, error)
	// List returns the accounts of a host, or those of them that are disabled, by address, and at most limit of them.
	List(ctx context.Context, host jid.JID, disabledOnly bool, limit int) ([]jid.JID, error)
	Contacts(ctx context.Context, account jid.JID) ([]Contact, error)
	// LastSeen returns when an account was last available; the zero time if it never was.
	LastSeen(ctx context.Context, account jid.JID) (time.Time, string, error)
}

// Kind is a kind of accounts that are counted and listed.
type Kind uint8

// The kinds.
const (
	Registered Kind = iota
	Disabled
	Online // with a session
	Active // online, and a session is neither away nor inactive
	Idle   // online, and not active
)

// Count counts the accounts of a kind.
func (s *Service) Count(ctx context.Context, a Actor, k Kind) (int, error) {
	if err := a.may(SeeAccounts); err != nil {
		return 0, err
	}
	if k == Registered || k == Disabled {
		return s.Reader.Count(ctx, s.Host.Domain(), k == Disabled)
	}
	n := 0
	s.online(k, func(jid.JID) bool { n++; return true })
	return n, nil
}

// List returns the accounts of a kind by address, and at most limit of them.
func (s *Service) List(ctx context.Context, a Actor, k Kind, limit int) ([]jid.JID, error) {
	if err := a.may(SeeAccounts); err != nil {
		return nil, err
	}
	if k == Registered || k == Disabled {
		return s.Reader.List(ctx, s.Host.Domain(), k == Disabled, limit)
	}
	var list []jid.JID
	s.online(k, func(account jid.JID) bool { list = append(list, account); return true })
	slices.SortFunc(list, func(a, b jid.JID) int { return cmp.Compare(a.String(), b.String()) })
	return list[:min(limit, len(list))], nil
}

// online calls f for each account of a kind that has sessions until f returns false.
func (s *Service) online(k Kind, f func(account jid.JID) bool) {
	s.Host.Each(func(account *router.Account) bool {
		list := account.Sessions()
		if len(list) == 0 {
			return true
		}
		active := slices.ContainsFunc(list, isActive)
		if k == Active && !active || k == Idle && active {
			return true
		}
		return f(account.JID())
	})
}

// isActive reports whether somebody uses a session, as far as its presence says (RFC 6121 §4.7.2.1).
func isActive(b *router.Bound) bool {
	p := b.Presence()
	if p == nil {
		return false
	}
	switch p.Stanza.Child("", "show").Text() {
	case "away", "xa":
		return false
	}
	return true
}

// Roster returns the contacts of an account.
func (s *Service) Roster(ctx context.Context, a Actor, account jid.JID) ([]Contact, error) {
	err := s.manageable(a, SeeRosters, account)
	s.audit(ctx, a, "read contacts", err, "account", account)
	if err != nil {
		return nil, err
	}
	if err := s.existing(ctx, []jid.JID{account}); err != nil {
		return nil, err
	}
	return s.Reader.Contacts(ctx, account)
}

// Activity is when an account was last online.
type Activity struct {
	Online bool
	Last   time.Time // of an account that is not online; zero: never
}

// LastActivity returns when an account was last online.
func (s *Service) LastActivity(ctx context.Context, a Actor, account jid.JID) (Activity, error) {
	if err := s.visible(ctx, a, account); err != nil {
		return Activity{}, err
	}
	if len(s.Host.Local(account).Sessions()) > 0 {
		return Activity{Online: true}, nil
	}
	last, _, err := s.Reader.LastSeen(ctx, account)
	return Activity{Last: last}, err
}

// visible checks that an actor may see an account of the host, and that there is one.
func (s *Service) visible(ctx context.Context, a Actor, account jid.JID) error {
	if err := a.may(SeeAccounts); err != nil {
		return err
	}
	if account.Local() == "" || account.Domain() != s.Host.Domain().Domain() {
		return &AccountError{account, ErrNotServed}
	}
	return s.existing(ctx, []jid.JID{account})
}

// Statistics are figures about an account.
type Statistics struct {
	Account
	Role      Role
	Contacts  int
	Resources []string // of its sessions
	Addresses []string // from which they are connected, as far as is known
	Activity  Activity
}

// Statistics returns figures about an account.
func (s *Service) Statistics(ctx context.Context, a Actor, account jid.JID) (Statistics, error) {
	activity, err := s.LastActivity(ctx, a, account)
	if err != nil {
		return Statistics{}, err
	}
	known, err := s.Reader.Account(ctx, account)
	if err != nil {
		return Statistics{}, err
	}
	contacts, err := s.Reader.Contacts(ctx, account)
	if err != nil {
		return Statistics{}, err
	}
	out := Statistics{Account: known, Role: s.Rights.Role(account), Contacts: len(contacts), Activity: activity}
	for _, b := range s.Host.Local(account).Sessions() {
		out.Resources = append(out.Resources, b.JID().Resource())
		if c, ok := b.Session().(interface{ Address() string }); ok && c.Address() != "" {
			out.Addresses = append(out.Addresses, c.Address())
		}
	}
	return out, nil
}

// send sends a message of the host to an address.
func (s *Service) send(to jid.JID, typ, subject, text string) {
	st := stanza.NewMessage(to, s.Host.Domain(), typ, stanza.TextElement(stanza.NSClient, "subject", subject), stanza.TextElement(stanza.NSClient, "body", text))
	st.ID = stanza.NewID()
	s.Host.Router().Route(st)
}
