package identity

import (
	"context"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/sasl"
)

// Own is the name of the back end that is the keys of the accounts.
const Own = "own"

// Person is who a back end says that somebody is.
type Person struct {
	// Subject is the person's id in the back end. It is not given to anybody else.
	Subject string
	// Name is the localpart that the person's account should have.
	Name    string
	Expires time.Time // when sessions end; zero: they do not
	// Recheck asks the back end again while there are sessions; nil: what was checked cannot be withdrawn.
	Recheck *sasl.Recheck
}

// Passwords is a back end that checks passwords. Its errors are those of sasl.Passwords.
type Passwords interface {
	CheckPassword(ctx context.Context, username, password string) (Person, error)
}

// Tokens is a back end that checks tokens. Its errors are those of sasl.Tokens.
type Tokens interface {
	CheckToken(ctx context.Context, token string) (Person, error)
	Discovery() sasl.Discovery
}

// Finder is a back end that knows who has an account before the first login.
type Finder interface {
	// Find returns sasl.ErrRefused for a name that the back end does not know.
	Find(ctx context.Context, username string) (Person, error)
}

// Backend is a configured back end, with what it can do: the others are nil.
type Backend struct {
	Name      string
	Passwords Passwords
	Tokens    Tokens
	Finder    Finder
	// Checker is asked whether the person of an account is still there; nil: the back end cannot say.
	Checker Finder
	// Cards has vCards of its people.
	Cards Cards
	// PublicCards lets others than the accounts of the host read them.
	PublicCards bool
	// Free lets the people of the back end choose their names: they do not get reserved ones.
	Free bool
}

// Owner says which back end an account belongs to, and whose it is there. The zero Owner is that of an account whose keys are kept here.
type Owner struct{ Backend, Subject string }

// Errors of Accounts.
var (
	ErrTaken      = errors.New("the name has an account, or cannot have one")
	ErrHasAccount = errors.New("the subject has an account")
)

// Accounts are the accounts of a host.
type Accounts interface {
	Lookup(ctx context.Context, username string) (sasl.Credentials, error)
	// Owner returns sasl.ErrUnknownUser if there is no such account.
	Owner(ctx context.Context, username string) (Owner, error)
	// Account returns the user name of an owner's account, or sasl.ErrUnknownUser.
	Account(ctx context.Context, o Owner) (string, error)
	// Create makes an account without keys. It returns ErrTaken or ErrHasAccount.
	Create(ctx context.Context, username string, o Owner) error
}
