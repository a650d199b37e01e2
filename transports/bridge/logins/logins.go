package logins

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Store keeps logins.
type Store interface {
	Logins(ctx context.Context) ([]tables.Login, error)
	PutLogin(ctx context.Context, l tables.Login) error
	PutSecrets(ctx context.Context, secrets map[transports.LoginID]tables.Sealed) error
	PutStatus(ctx context.Context, id transports.LoginID, status tables.Status, cause string) error
	Unlink(ctx context.Context, id transports.LoginID) error
}

// Receiver takes what the clients of logins deliver, and follows their state.
type Receiver interface {
	// Open is called before a client is opened. The client's events go to the sink until closed is
	// called; end may be called to end the client.
	Open(ctx context.Context, l *Login, end func(error)) (sink transports.Sink, closed func(), err error)
	// Opened is called when a client is open.
	Opened(l *Login)
	// Lost is called when a client has ended and another one will be opened.
	Lost(l *Login)
	// Stopped is called when no client is opened any more.
	Stopped(l *Login)
	// StateChanged is called in the goroutine that has changed the state; it must not block.
	StateChanged(l *Login)
}

// Roster changes the rosters of owners.
type Roster interface {
	AddGateway(ctx context.Context, owner jid.JID)
	RemoveGateway(ctx context.Context, owner jid.JID)
	RemoveContacts(ctx context.Context, l *Login) error
}

// Rooms forgets what rooms know of a login.
type Rooms interface {
	// Remove is called before the rows of a login are removed, and removed after.
	Remove(ctx context.Context, l *Login) (removed func(), err error)
}

// Logins are the logins of one gateway with their use cases.
type Logins struct {
	*Registry
	env      *gateway.Env
	network  transports.Network
	store    Store
	keys     *Keys
	receiver Receiver
	roster   Roster
	rooms    Rooms
}

// New makes the logins of a gateway; Connect has to be called before Load.
func New(env *gateway.Env, network transports.Network, store Store, keys *Keys) *Logins {
	return &Logins{Registry: newRegistry(), env: env, network: network, store: store, keys: keys}
}

// Connect gives the parts that are built on this one.
func (l *Logins) Connect(receiver Receiver, roster Roster, rooms Rooms) {
	l.receiver, l.roster, l.rooms = receiver, roster, rooms
}

// Flows are the ways to link an account.
func (l *Logins) Flows() []transports.LoginFlow { return l.network.LoginFlows() }

// Load reads the logins; none is opened yet.
func (l *Logins) Load(ctx context.Context) error {
	rows, err := l.store.Logins(ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		l.add(newLogin(l, row))
	}
	return nil
}

// StartAll opens all clients, and encrypts with the newest key what has another one.
func (l *Logins) StartAll() {
	for _, login := range l.All() {
		login.start()
	}
	l.env.Group.Go(func(ctx context.Context) {
		if n, err := l.RotateKeys(ctx); err != nil || n > 0 {
			l.env.Log.Info("secrets encrypted with the newest key", "secrets", n, "error", err)
		}
	})
}

// StopAll closes all clients and returns when they have ended.
func (l *Logins) StopAll() {
	for _, login := range l.All() {
		login.stop()
	}
}

// ownerID is what networks are given to tell the owners of logins apart.
func (l *Logins) ownerID(owner jid.JID) transports.OwnerID {
	return transports.OwnerID(convert.Hash("owner", l.env.Domain.String(), owner.Bare().String()))
}

// Signer signs for all gateways that have the same keys.
func (l *Logins) Signer() *Keys { return l.keys }
