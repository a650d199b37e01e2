package sasl

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Errors of Passwords and Tokens. Every other error means that there is no answer at the moment.
var (
	ErrRefused = errors.New("refused by the back end")
	// ErrScope means a valid token that does not grant what a login needs. It wraps ErrRefused.
	ErrScope = fmt.Errorf("the token does not have the scope: %w", ErrRefused)
	// ErrUnavailable is wrapped by the Cause of a Failure when a back end did not answer.
	ErrUnavailable = errors.New("a back end does not answer")
)

// errNoToken is a request for the Discovery: no token was tried.
var errNoToken = errors.New("no token")

// Proof is what a back end says about a password or a token that it has accepted.
type Proof struct {
	Username string    // localpart of the account, in its canonical form
	Backend  string    // name of the back end; "" for accounts whose keys are kept here
	Expires  time.Time // when sessions end; zero: they do not
	Recheck  *Recheck  // nil: what was accepted cannot be withdrawn
	Proved   Proved    // of an account whose keys are kept here
}

// Recheck asks again whether what somebody has logged in with is valid.
type Recheck struct {
	Every time.Duration
	// Check returns ErrRefused if it is not valid any more. Every other error means that there is no answer at the moment.
	Check func(ctx context.Context) error
}

// Passwords checks the passwords of a host that has other back ends besides the keys of its accounts.
type Passwords interface {
	// CheckPassword checks the password of a user, whose name is in its canonical form. It returns within a bounded time, ErrRefused
	// for a wrong name or password, and the name of an account that exists.
	CheckPassword(ctx context.Context, username, password string) (Proof, error)
}

// Tokens checks OAuth access tokens.
type Tokens interface {
	// CheckToken is like Passwords.CheckPassword.
	CheckToken(ctx context.Context, token string) (Proof, error)
	// Discovery says where clients get tokens.
	Discovery() Discovery
}

// Discovery says where clients get tokens. RFC 7628 §3.2.2.
type Discovery struct {
	Configuration string // URL of the provider's metadata (RFC 8414)
	Scope         string // that a token must have; "" for none
}

// refusalStep is the time to which refusals by back ends are rounded up: how long a back end takes for a name that exists, or
// which one was asked, cannot be told from the time.
const refusalStep = 250 * time.Millisecond

// accept turns the answer of a back end to an attempt that began at a time into an identity. The account may be one that cannot log in.
func (s *Server) accept(ctx context.Context, mechanism string, attempt Attempt, check func() (Proof, error)) (Identity, error) {
	began := time.Now()
	proof, err := check()
	switch {
	case errors.Is(err, ErrRefused):
		pause(ctx, refusalStep-time.Since(began)%refusalStep)
		return Identity{}, &Failure{Condition: NotAuthorized, Cause: err}
	case err != nil:
		attempt.Cancel()
		return Identity{}, &Failure{Condition: TemporaryAuthFailure, Cause: fmt.Errorf("%w: %w", ErrUnavailable, err)}
	}
	account, err := jid.New(proof.Username, s.cfg.Host.Domain(), "")
	if err != nil || account.Local() == "" {
		attempt.Cancel()
		return Identity{}, fmt.Errorf("back end %s accepts %q, which is no user name", proof.Backend, proof.Username)
	}
	creds, err := s.cfg.Accounts.Lookup(ctx, account.Local())
	if err != nil && !errors.Is(err, ErrUnknownUser) {
		attempt.Cancel()
		return Identity{}, fmt.Errorf("look up %s: %w", account, err)
	}
	attempt.Right()
	if err != nil {
		return Identity{}, fail(NotAuthorized, "the account has been deleted")
	}
	if err := creds.MayLogIn(time.Now()); err != nil {
		return Identity{}, err
	}
	proved := proof.Proved
	if proof.Backend != "" {
		proved = Proved{Backend: proof.Backend}
	}
	return Identity{
		JID: account, Mechanism: mechanism, Backend: proof.Backend, Expires: proof.Expires, Recheck: proof.Recheck,
		Revocation: creds.Revocation, proved: proved,
	}, nil
}

// pause waits, at most until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
