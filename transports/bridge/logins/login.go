package logins

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Login is a linked account of an XMPP user on the network.
type Login struct {
	ID    transports.LoginID
	Owner jid.JID // bare
	User  transports.UserID

	logins  *Logins
	sealing sync.Mutex // held while the secret is replaced, across the write

	mu      sync.Mutex
	row     tables.Login
	conn    connection
	cancel  context.CancelFunc // ends the goroutine that keeps the client open; nil where it does not run
	ended   chan struct{}      // closed when that goroutine has ended
	notices map[string]string  // shown to the owner since the account was linked, by key
}

// connection is the client of a login and its state.
type connection struct {
	client   transports.Client
	state    transports.State
	cause    error
	reported bool // the client has reported its state since it was opened
	synced   bool // its directory was read, or is being read
	unstored bool // the last client ended because its events could not be stored
	gaps     int  // times that events may have been missed
}

// Limits of what a client may tell the owner.
const (
	maxNotices    = 200  // different things
	maxNoticeText = 2000 // bytes of one
)

func newLogin(l *Logins, row tables.Login) *Login {
	return &Login{ID: row.ID, Owner: row.Owner, User: row.User, logins: l, row: row}
}

// Name is what to call the login: "ann at Acme".
func (l *Login) Name() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.row.Name
}

// LinkedAt is when the account was linked first.
func (l *Login) LinkedAt() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.row.Created
}

// Client is the open client; nil where calls cannot be made now.
func (l *Login) Client() transports.Client {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn.state == transports.Online || l.conn.state == transports.Limited {
		return l.conn.client
	}
	return nil
}

// Caps are what the network can do in a room now, as far as the client knows.
func (l *Login) Caps(room transports.RoomID) transports.Caps {
	caps := l.logins.env.Info.Caps
	if n, ok := l.Client().(transports.Narrower); ok && caps.Narrow && room != "" {
		return n.Narrow(room, caps)
	}
	return caps
}

// Online reports whether calls can be made.
func (l *Login) Online() bool { return l.Client() != nil }

// State is the state of the client and the durable status, with what the owner was told about it.
func (l *Login) State() (state transports.State, status tables.Status, cause string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	cause = l.row.Cause
	if cause == "" {
		cause = convert.ErrorText(l.conn.cause, "")
	}
	return l.conn.state, l.row.Status, cause
}

// Linked reports whether the login waits for nothing that its owner has to do.
func (l *Login) Linked() bool {
	_, status, _ := l.State()
	return status == tables.StatusLinked
}

// exists reports whether the login is neither removed nor about to be.
func (l *Login) exists() bool {
	_, status, _ := l.State()
	return status != tables.StatusUnlinking && l.logins.ByID(l.ID) == l
}

// Missed notes that events may have been missed: what was known of the rooms that the login sees is known no longer.
func (l *Login) Missed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn.gaps++
}

// Gaps is how often events may have been missed.
func (l *Login) Gaps() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn.gaps
}

// TakeSync returns true once for each client, when it is online for the first time: some networks accept
// a login before its connection is there.
func (l *Login) TakeSync() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	online := l.conn.client != nil && (l.conn.state == transports.Online || l.conn.state == transports.Limited)
	due := online && !l.conn.synced
	l.conn.synced = l.conn.synced || due
	return due
}

// SetResume keeps the client's own state for the next time that it is opened.
func (l *Login) SetResume(state json.RawMessage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.row.State = state
}

// Reported notes that the client has reported its state.
func (l *Login) Reported() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn.reported = true
}

// Unstored notes that events of the client could not be stored, so that no other one is opened before
// the store can be written to.
func (l *Login) Unstored() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn.unstored = true
}

// SetState changes the state of the client.
func (l *Login) SetState(state transports.State, cause error) {
	l.mu.Lock()
	before := l.conn.state
	l.conn.state, l.conn.cause = state, cause
	l.mu.Unlock()
	if before == state {
		return
	}
	l.logins.env.Log.Debug("state of a login", "login", l.ID, "state", state.String(), "cause", cause)
	l.logins.receiver.StateChanged(l)
}

// Notice shows the owner something that the client has found, once for each text.
func (l *Login) Notice(key, text string) {
	l.mu.Lock()
	known := l.notices[key] == text || len(l.notices) >= maxNotices
	if !known {
		if l.notices == nil {
			l.notices = map[string]string{}
		}
		l.notices[key] = text
	}
	name := l.row.Name
	l.mu.Unlock()
	if known {
		return
	}
	env := l.logins.env
	env.Log.Warn("a client has a notice for the owner of its login", "login", l.ID, "about", key, "text", text)
	env.Notify(l.Owner, fmt.Sprintf("Your %s account %s: %s", env.Info.Name, name, convert.CutBytes(text, maxNoticeText)))
}

// LoseLogin notes, found out by a call, that the owner has to relink, and closes the client.
func (l *Login) LoseLogin(ctx context.Context, cause error) {
	l.halt(ctx, tables.StatusNeedsLogin, cause)
	l.stop()
}

// halt keeps durably that the owner has to relink, and notifies them once.
func (l *Login) halt(ctx context.Context, status tables.Status, cause error) {
	text := convert.ErrorText(cause, "the network does not accept the account any longer")
	l.mu.Lock()
	if l.row.Status != tables.StatusLinked {
		l.mu.Unlock()
		return
	}
	l.row.Status, l.row.Cause, l.conn.cause = status, text, cause
	name := l.row.Name
	l.mu.Unlock()
	l.SetState(transports.NeedsLogin, cause)
	env := l.logins.env
	if err := l.logins.store.PutStatus(ctx, l.ID, status, text); err != nil {
		env.Log.Error("keeping the status of a login", "login", l.ID, "error", err)
	}
	env.Notify(l.Owner, fmt.Sprintf("Your %s account %s has to be linked again: %s. Answer \"relink %s\" here. What you write meanwhile waits.",
		env.Info.Name, name, text, l.logins.Number(l)))
}

// fail keeps that the login will not come back by itself.
func (l *Login) fail(ctx context.Context, cause error) {
	l.logins.env.Log.Error("a login failed", "login", l.ID, "error", cause)
	l.halt(ctx, tables.StatusFailed, cause)
}

func (l *Login) secret() tables.Sealed {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.row.Secret
}

// ReplaceSecret encrypts a new secret and keeps it, durably.
func (l *Login) ReplaceSecret(ctx context.Context, secret []byte) error {
	l.sealing.Lock()
	defer l.sealing.Unlock()
	return l.putSecret(ctx, secret)
}

// putSecret needs sealing to be held.
func (l *Login) putSecret(ctx context.Context, secret []byte) error {
	sealed := l.logins.keys.Seal(l.ID, secret)
	if err := l.logins.store.PutSecrets(ctx, map[transports.LoginID]tables.Sealed{l.ID: sealed}); err != nil {
		return fmt.Errorf("keep secret of login %s: %w", l.ID, err)
	}
	l.mu.Lock()
	l.row.Secret = sealed
	l.mu.Unlock()
	return nil
}

// RotateKeys encrypts all secrets with the newest key and returns how many had another one.
func (l *Logins) RotateKeys(ctx context.Context) (n int, err error) {
	for _, login := range l.All() {
		if l.keys.Current(login.secret()) {
			continue
		}
		if err := login.rotateKey(ctx); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (l *Login) rotateKey(ctx context.Context) error {
	l.sealing.Lock()
	defer l.sealing.Unlock()
	secret, err := l.logins.keys.Open(l.ID, l.secret())
	if err != nil {
		return err
	}
	defer clear(secret)
	return l.putSecret(ctx, secret)
}

// sleep waits; false where ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// pause is how long to wait before a client is opened again.
func pause(failures int, atLeast time.Duration) time.Duration {
	return max(atLeast, gateway.Backoff(failures))
}
