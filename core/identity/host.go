package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// Questions a second for people who have not logged in yet, and at once. Others are taken for unknown: strangers cause the questions.
const (
	findRate  = 20
	findBurst = 200
)

// Host checks passwords and tokens for one host: it is a sasl.Passwords and a sasl.Tokens.
type Host struct {
	domain   string
	accounts Accounts
	backends []Backend // in the order in which they are asked
	own      bool      // accounts whose keys are kept here can log in
	reserved func(jid.JID) bool
	knows    bool // a back end has vCards
	finds    *rate.Limiter
	warn     rate.Sometimes
	log      *slog.Logger
}

// Options are the parameters of New.
type Options struct {
	Accounts Accounts
	Backends []Backend // without the one named Own
	Own      bool
	// Reserved reports names that nobody gets who may choose their own.
	Reserved func(jid.JID) bool
	Log      *slog.Logger
}

// New returns a Host.
func New(host jid.JID, o Options) *Host {
	if o.Reserved == nil {
		o.Reserved = func(jid.JID) bool { return false }
	}
	return &Host{
		knows: slices.ContainsFunc(o.Backends, func(b Backend) bool { return b.Cards != nil }), domain: host.Domain(), accounts: o.Accounts, backends: o.Backends, own: o.Own, reserved: o.Reserved, finds: rate.NewLimiter(findRate, findBurst), warn: rate.Sometimes{Interval: time.Minute}, log: o.Log,
	}
}

// Configure sets what the back ends add to a SASL server.
func (h *Host) Configure(c *sasl.Config) {
	passwords, tokens := false, false
	for _, b := range h.backends {
		passwords = passwords || b.Passwords != nil
		tokens = tokens || b.Tokens != nil
	}
	if passwords {
		c.Passwords = h
	}
	if tokens {
		c.Tokens = h
	}
	c.OnlyTokens = !passwords && !h.own
	if len(h.backends) > 0 {
		c.Owners = h
	}
}

// StillKnown implements sasl.Owners.
func (h *Host) StillKnown(ctx context.Context, username, backend string) error {
	b := h.backend(backend)
	if b == nil {
		return fmt.Errorf("the account belongs to the back end %q, which this host does not have: %w", backend, sasl.ErrRefused)
	}
	if b.Checker == nil {
		return nil
	}
	person, err := b.Checker.Find(ctx, username)
	if err != nil {
		return fmt.Errorf("%s: %w", b.Name, err)
	}
	owner, err := h.accounts.Owner(ctx, username)
	switch {
	case err != nil && !errors.Is(err, sasl.ErrUnknownUser):
		return err
	case err != nil || owner != Owner{b.Name, person.Subject}:
		return fmt.Errorf("the account is of another subject: %w", sasl.ErrRefused)
	}
	return nil
}

// CheckPassword implements sasl.Passwords.
func (h *Host) CheckPassword(ctx context.Context, username, password string) (sasl.Proof, error) {
	if j, err := jid.New(username, h.domain, ""); err != nil || j.Local() != username {
		return sasl.Proof{}, fmt.Errorf("not a user name: %w", sasl.ErrRefused)
	}
	owner, err := h.accounts.Owner(ctx, username)
	switch {
	case errors.Is(err, sasl.ErrUnknownUser):
		return h.first(ctx, username, password)
	case err != nil:
		return sasl.Proof{}, err
	case owner == Owner{}:
		return h.checkOwn(ctx, username, password)
	}
	b := h.backend(owner.Backend)
	if b == nil || b.Passwords == nil {
		return sasl.Proof{}, fmt.Errorf("the account belongs to the back end %q, which does not check passwords of this host: %w", owner.Backend, sasl.ErrRefused)
	}
	person, err := b.Passwords.CheckPassword(ctx, username, password)
	if err != nil {
		return sasl.Proof{}, fmt.Errorf("%s: %w", b.Name, err)
	}
	if person.Subject != owner.Subject {
		h.log.Warn("login refused: the back end has given the name of an account to somebody else", "backend", b.Name, "user", username)
		return sasl.Proof{}, fmt.Errorf("the account is of another subject: %w", sasl.ErrRefused)
	}
	return sasl.Proof{Username: username, Backend: b.Name, Expires: person.Expires}, nil
}

// checkOwn checks a password against the keys that are kept here.
func (h *Host) checkOwn(ctx context.Context, username, password string) (sasl.Proof, error) {
	if !h.own {
		return sasl.Proof{}, fmt.Errorf("accounts with a password of this server cannot log in: %w", sasl.ErrRefused)
	}
	c, err := h.accounts.Lookup(ctx, username)
	if err != nil && !errors.Is(err, sasl.ErrUnknownUser) {
		return sasl.Proof{}, err
	}
	if err != nil || !c.Check(password) {
		return sasl.Proof{}, sasl.ErrRefused
	}
	return sasl.Proof{Username: username, Proved: c.Proved()}, nil
}

// first checks the password for a name that has no account, and makes one. A back end is asked only if those before it have refused.
func (h *Host) first(ctx context.Context, username, password string) (sasl.Proof, error) {
	err := error(sasl.ErrRefused)
	for _, b := range h.backends {
		if b.Passwords == nil {
			continue
		}
		var person Person
		person, err = b.Passwords.CheckPassword(ctx, username, password)
		switch {
		case errors.Is(err, sasl.ErrRefused):
			continue
		case err != nil: // it may know the name
			return sasl.Proof{}, fmt.Errorf("%s: %w", b.Name, err)
		}
		if err := h.create(ctx, username, b, person.Subject); err != nil {
			return sasl.Proof{}, err
		}
		return sasl.Proof{Username: username, Backend: b.Name, Expires: person.Expires}, nil
	}
	return sasl.Proof{}, err
}

// create makes the account of a person with a name that is theirs.
func (h *Host) create(ctx context.Context, username string, b Backend, subject string) error {
	err, owner := ErrTaken, Owner{b.Name, subject}
	if !b.Free || !h.isReserved(username) {
		err = h.accounts.Create(ctx, username, owner)
	}
	if errors.Is(err, ErrTaken) { // meanwhile, perhaps by another login of the same person
		if o, ownerErr := h.accounts.Owner(ctx, username); ownerErr == nil && o == owner {
			return nil
		}
	}
	switch {
	case errors.Is(err, ErrTaken):
		return fmt.Errorf("%s has no account and cannot get one: %w", username, sasl.ErrRefused)
	case errors.Is(err, ErrHasAccount):
		h.log.Warn("login refused: the person has an account by an earlier name", "backend", b.Name, "user", username)
		return fmt.Errorf("%s has another account: %w", username, sasl.ErrRefused)
	case err == nil:
		h.log.Info("account created by a first login", "account", username+"@"+h.domain, "backend", b.Name)
	}
	return err
}

// CheckToken implements sasl.Tokens.
func (h *Host) CheckToken(ctx context.Context, token string) (sasl.Proof, error) {
	err := error(sasl.ErrRefused)
	for _, b := range h.backends {
		if b.Tokens == nil {
			continue
		}
		var person Person
		person, err = b.Tokens.CheckToken(ctx, token)
		switch {
		case errors.Is(err, sasl.ErrScope):
			return sasl.Proof{}, err
		case errors.Is(err, sasl.ErrRefused):
			continue
		case err != nil:
			return sasl.Proof{}, fmt.Errorf("%s: %w", b.Name, err)
		}
		name, err := h.accountOf(ctx, b, person)
		if err != nil {
			return sasl.Proof{}, err
		}
		return sasl.Proof{Username: name, Backend: b.Name, Expires: person.Expires, Recheck: person.Recheck}, nil
	}
	return sasl.Proof{}, err
}

// accountOf returns the name of a person's account, and makes one if there is none. If the person's name has an account of somebody else, or is
// reserved, the new account gets a name that also depends on the subject.
func (h *Host) accountOf(ctx context.Context, b Backend, p Person) (string, error) {
	owner := Owner{b.Name, p.Subject}
	for _, name := range []string{p.Name, uniqueName(p)} {
		username, err := h.accounts.Account(ctx, owner)
		if !errors.Is(err, sasl.ErrUnknownUser) {
			return username, err
		}
		j, err := jid.New(name, h.domain, "")
		if err != nil || j.Local() == "" {
			return "", fmt.Errorf("%q cannot be a user name: %w", name, sasl.ErrRefused)
		}
		if b.Free && h.isReserved(j.Local()) {
			continue
		}
		switch err := h.accounts.Create(ctx, j.Local(), owner); {
		case err == nil:
			h.log.Info("account created by a first login", "account", j, "backend", b.Name)
			return j.Local(), nil
		case errors.Is(err, ErrHasAccount): // of another login at the same time
			return h.accounts.Account(ctx, owner)
		case !errors.Is(err, ErrTaken):
			return "", err
		}
	}
	return "", fmt.Errorf("no account can be made for %q: %w", p.Name, sasl.ErrRefused)
}

// uniqueName adds digits to a person's name that depend on the subject.
func uniqueName(p Person) string {
	sum := sha256.Sum256([]byte(p.Subject))
	return p.Name + "-" + hex.EncodeToString(sum[:4])
}

func (h *Host) isReserved(username string) bool {
	j, err := jid.New(username, h.domain, "")
	return err != nil || h.reserved(j)
}

// Discovery implements sasl.Tokens: that of the first back end with one.
func (h *Host) Discovery() sasl.Discovery {
	for _, b := range h.backends {
		if b.Tokens != nil {
			if d := b.Tokens.Discovery(); d != (sasl.Discovery{}) {
				return d
			}
		}
	}
	return sasl.Discovery{}
}

func (h *Host) backend(name string) *Backend {
	for i := range h.backends {
		if h.backends[i].Name == name {
			return &h.backends[i]
		}
	}
	return nil
}

// Finds reports whether a back end knows people who have not logged in yet.
func (h *Host) Finds() bool {
	return slices.ContainsFunc(h.backends, func(b Backend) bool { return b.Finder != nil })
}

// Find makes the account of a person who has not logged in yet, if a back end knows the name. It is asked for names that have no
// account and to which somebody writes. While a back end does not answer its people are unknown.
func (h *Host) Find(ctx context.Context, username string) (bool, error) {
	if username == "" || !h.finds.Allow() {
		return false, nil
	}
	for _, b := range h.backends {
		if b.Finder == nil {
			continue
		}
		person, err := b.Finder.Find(ctx, username)
		switch {
		case errors.Is(err, sasl.ErrRefused):
			continue
		case err != nil:
			h.warn.Do(func() {
				h.log.Warn("people who have not logged in yet are unknown: a back end does not answer", "backend", b.Name, "err", err)
			})
			return false, nil
		}
		err = h.create(ctx, username, b, person.Subject)
		if errors.Is(err, sasl.ErrRefused) {
			return false, nil
		}
		return err == nil, err
	}
	return false, nil
}
