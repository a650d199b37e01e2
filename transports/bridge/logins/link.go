package logins

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Process is the linking of an account under way.
type Process struct {
	logins   *Logins
	owner    jid.JID // bare
	previous *Login  // to be relinked; nil for a new one
	process  transports.LoginProcess
	step     transports.Step // the last one
	removals int64           // Registry.removals when it began
}

// Progress is what a Process has come to: Login is set at its end, else Step is to be shown.
type Progress struct {
	Step    transports.Step
	Login   *Login
	Renewed bool // the account was linked before and has new credentials now
}

// errUnlinked ends the renewal of a login that is gone.
var errUnlinked = transports.Refuse("item-not-found", "The account was unlinked meanwhile.", nil)

// Start begins to link an account by a flow, or to relink previous. Next gives its first step.
func (l *Logins) Start(ctx context.Context, owner jid.JID, flow string, previous *Login) (*Process, error) {
	if err := l.MayLink(owner, previous); err != nil {
		return nil, err
	}
	flows := l.Flows()
	if flow == "" {
		flow = flows[0].ID
	}
	if !slices.ContainsFunc(flows, func(f transports.LoginFlow) bool { return f.ID == flow }) {
		return nil, stanza.ItemNotFound("There is no such way to link an account.")
	}
	var before *transports.Login
	if previous != nil {
		before = &transports.Login{ID: previous.ID, User: previous.User, Name: previous.Name(), Owner: l.ownerID(owner)}
	}
	p := &Process{logins: l, owner: owner, previous: previous, removals: l.removalCount()}
	process, err := l.network.StartLogin(ctx, transports.LoginRequest{Flow: flow, Owner: l.ownerID(owner), Previous: before})
	if err != nil {
		return nil, stanza.NotAcceptable(convert.ErrorText(err, "The login could not be begun. Please try again later."))
	}
	p.process = process
	return p, nil
}

// MayLink checks who wants to link an account and how many they have; the error is a *stanza.Error.
func (l *Logins) MayLink(owner jid.JID, previous *Login) error {
	switch {
	case !l.env.Settings.MayUse(owner):
		return stanza.NotAllowed("You may not link accounts here.")
	case previous == nil && len(l.Of(owner)) >= l.env.Settings.Logins:
		return stanza.ResourceConstraint("You have linked as many accounts as you may.")
	}
	return nil
}

// Next hands answers to the network, nil at first. An error of class Refused has a text for the person, who
// may answer again unless it is final; after any other error the process is to be cancelled. A step that
// waits comes again where nothing has happened for long.
func (p *Process) Next(ctx context.Context, answers map[string]string) (Progress, error) {
	for _, f := range p.step.Fields() {
		if err := f.Check(answers[f.Key]); err != nil {
			return Progress{}, err
		}
	}
	limited, cancel := context.WithTimeout(ctx, gateway.CallTimeout)
	defer cancel()
	step, err := p.process.Next(limited, answers)
	if err != nil && p.step.Waits() && limited.Err() != nil && ctx.Err() == nil {
		return Progress{Step: p.step}, nil
	}
	return p.advance(ctx, step, err)
}

// Verify checks one answer to the current step, as far as that is possible before the others are given; nil where it may be right.
func (p *Process) Verify(ctx context.Context, key, answer string) error {
	for _, f := range p.step.Fields() {
		if f.Key == key {
			if err := f.Check(answer); err != nil {
				return err
			}
		}
	}
	verifier, ok := p.process.(transports.LoginVerifier)
	if !ok {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, gateway.LookupTimeout)
	defer cancel()
	if err := verifier.Verify(limited, key, answer); transports.ClassOf(err) == transports.Refused {
		return err
	}
	return nil
}

// Back goes to the step before, where Step.Back says that it can.
func (p *Process) Back(ctx context.Context) (Progress, error) {
	rewinder, ok := p.process.(transports.LoginRewinder)
	if !ok {
		return Progress{}, transports.Refuse("not-allowed", "One cannot go back here.", nil)
	}
	limited, cancel := context.WithTimeout(ctx, gateway.CallTimeout)
	defer cancel()
	step, err := rewinder.Back(limited)
	return p.advance(ctx, step, err)
}

// advance goes on to a step, which may be the end.
func (p *Process) advance(ctx context.Context, step transports.Step, err error) (Progress, error) {
	switch {
	case err != nil:
		return Progress{}, err
	case step.Unsupported != "":
		return Progress{}, &transports.Error{Class: transports.Refused, Final: true, Text: "The network wants " + step.Unsupported + ", which cannot be done from here."}
	case step.Done == nil:
		p.step = step
		return Progress{Step: step}, nil
	}
	p.process.Cancel()
	login, renewed, err := p.finish(ctx, *step.Done)
	if err != nil {
		return Progress{}, &NotLinked{err}
	}
	return Progress{Login: login, Renewed: renewed}, nil
}

// Cancel frees what the process holds. It may be called at any time.
func (p *Process) Cancel() { p.process.Cancel() }

// NotLinked is the error of a process whose account the network has accepted, but not we.
type NotLinked struct{ Err error }

func (e *NotLinked) Error() string { return e.Err.Error() }

// Unwrap gives the reason.
func (e *NotLinked) Unwrap() error { return e.Err }

// finish keeps a login that the network has accepted, and opens its client. An account that is linked
// already is renewed.
func (p *Process) finish(ctx context.Context, done transports.Login) (login *Login, renewed bool, err error) {
	l, previous := p.logins, p.previous
	if err := p.check(done); err != nil {
		return nil, false, err
	}
	for _, other := range l.Of(p.owner) {
		if previous == nil && other.User == done.User {
			previous, renewed = other, true
		}
	}
	if previous != nil && previous.User != done.User {
		return nil, false, transports.Refuse("not-acceptable", "These are the credentials of somebody else. Unlink the account first.", nil)
	}
	row := tables.Login{ID: transports.LoginID(stanza.NewID()), Owner: p.owner, Created: l.env.Now()}
	if previous != nil {
		previous.stop()
		row = previous.copyRow()
	}
	row.User, row.Name, row.State = done.User, convert.Name(done.Name), done.State
	row.Status, row.Cause = tables.StatusLinked, ""
	row.Secret = l.keys.Seal(row.ID, done.Secret)
	clear(done.Secret)
	if row.Name == "" {
		row.Name = string(row.User)
	}
	if err := l.store.PutLogin(ctx, row); err != nil {
		if previous != nil {
			previous.start()
		}
		return nil, false, fmt.Errorf("keep login: %w", err)
	}
	if login = previous; login != nil {
		login.renew(row)
	} else if login, err = p.addLogin(ctx, row); err != nil {
		return nil, false, err
	}
	l.env.Log.Info("account linked", "login", row.ID, "owner", p.owner.String(), "relinked", previous != nil)
	login.start()
	return login, renewed, nil
}

// check is made once more at the end, as much may have happened since the process began.
func (p *Process) check(done transports.Login) error {
	if err := p.logins.MayLink(p.owner, p.previous); err != nil {
		e := convert.StanzaError(err)
		return transports.Refuse(e.Condition, e.Text, nil)
	}
	if p.logins.removedSince(p.owner, p.removals) || p.previous != nil && !p.previous.exists() {
		return errUnlinked
	}
	if done.User == "" || len(done.User) > convert.MaxID {
		return fmt.Errorf("login gave user %q", done.User)
	}
	return nil
}

func (p *Process) addLogin(ctx context.Context, row tables.Login) (*Login, error) {
	login := newLogin(p.logins, row)
	p.logins.add(login)
	if p.logins.removedSince(p.owner, p.removals) { // while it was written: RemoveOwner did not see it
		return nil, errors.Join(errUnlinked, p.logins.forget(ctx, login))
	}
	p.logins.env.Group.Go(func(ctx context.Context) { p.logins.roster.AddGateway(ctx, p.owner) })
	return login, nil
}

func (l *Login) copyRow() tables.Login {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.row
}

func (l *Login) renew(row tables.Login) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.row, l.notices = row, nil
}
