package puppets

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// People keeps people.
type People interface {
	Puppet(ctx context.Context, id transports.UserID) (transports.UserInfo, bool, error)
	// PutPuppets keeps people; with a login they become its contacts.
	PutPuppets(ctx context.Context, login transports.LoginID, people []transports.UserInfo) error
	// Contact is somebody in the contact list of a login.
	Contact(ctx context.Context, login transports.LoginID, user transports.UserID) (tables.Contact, bool, error)
	// Sees reports whether the network has shown somebody to a login.
	Sees(ctx context.Context, login transports.LoginID, user transports.UserID) (bool, error)
}

// Limits of what is remembered.
const (
	maxPeople   = 50_000
	maxFailures = 3    // look-ups of a person by a login that failed; nobody asks again
	maxFailed   = 1000 // people whose look-ups failed; then all may be asked again
)

// Directory knows the people of the network.
type Directory struct {
	Photos *Photos

	env   *gateway.Env
	store People

	mu     sync.Mutex
	people map[transports.UserID]transports.UserInfo
	failed map[lookup]int
}

// lookup is a question for a person to the client of a login.
type lookup struct {
	login transports.LoginID
	user  transports.UserID
}

// NewDirectory makes the directory of a gateway.
func NewDirectory(env *gateway.Env, store People, photos PhotoStore) *Directory {
	return &Directory{Photos: NewPhotos(env, photos), env: env, store: store, people: map[transports.UserID]transports.UserInfo{}, failed: map[lookup]int{}}
}

// Cached is somebody who is in memory.
func (d *Directory) Cached(id transports.UserID) (transports.UserInfo, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, ok := d.people[id]
	return u, ok
}

// Put keeps people in memory.
func (d *Directory) Put(people ...transports.UserInfo) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, u := range people {
		if len(d.people) >= maxPeople {
			clear(d.people)
		}
		d.people[u.ID] = u.Shared()
	}
}

// Known is somebody who is in memory or in the store.
func (d *Directory) Known(ctx context.Context, id transports.UserID) (transports.UserInfo, bool) {
	if u, ok := d.Cached(id); ok {
		return u, true
	}
	u, ok, err := d.store.Puppet(ctx, id)
	if err != nil {
		d.env.Log.Error("reading a person", "user", id, "error", err)
	}
	if ok {
		d.Put(u)
	}
	return u, ok
}

// Find is Known; for somebody unknown it makes do with the name, or with the id. It asks no network.
func (d *Directory) Find(ctx context.Context, id transports.UserID, name string) transports.UserInfo {
	if u, ok := d.Known(ctx, id); ok {
		return u
	}
	if name == "" {
		name = string(id)
	}
	return transports.UserInfo{ID: id, Name: name}
}

// Lookup is Find, and asks the network about somebody unknown. It may take as long as a call.
func (d *Directory) Lookup(ctx context.Context, l *logins.Login, id transports.UserID, name string) transports.UserInfo {
	if !d.Unknown(ctx, l, id) {
		return d.Find(ctx, id, name)
	}
	if u, ok := d.Profile(ctx, l, id); ok {
		d.Put(u)
		return u
	}
	return d.Find(ctx, id, name)
}

// Unknown reports whether the network can be asked about somebody who is not known.
func (d *Directory) Unknown(ctx context.Context, l *logins.Login, id transports.UserID) bool {
	if _, cached := d.Cached(id); cached || id == "" || !d.asks(l, id) {
		return false
	}
	_, known := d.Known(ctx, id)
	return !known
}

// asks reports whether the network can be asked.
func (d *Directory) asks(l *logins.Login, id transports.UserID) bool {
	if l == nil || !d.env.Info.Caps.Profiles {
		return false
	}
	if _, ok := l.Client().(transports.Profiler); !ok {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed[lookup{l.ID, id}] < maxFailures
}

// Sees reports whether the network has shown somebody to a login.
func (d *Directory) Sees(ctx context.Context, l *logins.Login, id transports.UserID) bool {
	if id == l.User {
		return true
	}
	ok, err := d.store.Sees(ctx, l.ID, id)
	if err != nil {
		d.env.Log.Error("looking whether a login sees a person", "login", l.ID, "user", id, "error", err)
	}
	return ok && err == nil
}

// Meets is Sees, or else asks the network whether it shows them now.
func (d *Directory) Meets(ctx context.Context, l *logins.Login, id transports.UserID) bool {
	if d.Sees(ctx, l, id) {
		return true
	}
	u, ok := d.Profile(ctx, l, id)
	if ok {
		d.Put(u)
	}
	return ok
}

// Profile asks the network about somebody.
func (d *Directory) Profile(ctx context.Context, l *logins.Login, id transports.UserID) (transports.UserInfo, bool) {
	if id == "" || !d.asks(l, id) {
		return transports.UserInfo{}, false
	}
	profiler, ok := l.Client().(transports.Profiler)
	if !ok {
		return transports.UserInfo{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, gateway.LookupTimeout)
	defer cancel()
	u, err := profiler.Profile(ctx, id)
	if err != nil || u.ID != id {
		d.fail(lookup{l.ID, id})
		d.env.Log.Debug("looking up a person", "user", id, "error", err)
		return transports.UserInfo{}, false
	}
	u = convert.ClipUser(u)
	if err := d.store.PutPuppets(ctx, "", []transports.UserInfo{u}); err != nil {
		d.env.Log.Error("keeping a person", "user", id, "error", err)
	}
	return u, true
}

func (d *Directory) fail(id lookup) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.failed) >= maxFailed {
		clear(d.failed)
	}
	d.failed[id]++
}

// Shown is somebody as a login sees them: as the network shows them, else as they were shown before.
func (d *Directory) Shown(ctx context.Context, l *logins.Login, id transports.UserID) (transports.UserInfo, bool, error) {
	if u, ok := d.Profile(ctx, l, id); ok {
		d.Put(u)
		return u, true, nil
	}
	if !d.Sees(ctx, l, id) { // what other users' logins have learned is theirs
		return transports.UserInfo{}, false, nil
	}
	u, ok, err := d.store.Puppet(ctx, id)
	if err != nil || !ok {
		return u, ok, err
	}
	u, err = d.withAddresses(ctx, l, u)
	return u, ok, err
}

// withAddresses is somebody with the addresses that the network has shown to a login.
func (d *Directory) withAddresses(ctx context.Context, l *logins.Login, u transports.UserInfo) (transports.UserInfo, error) {
	c, ok, err := d.store.Contact(ctx, l.ID, u.ID)
	if ok {
		u.Email, u.Phone = c.Email, c.Phone
	}
	return u, err
}

// AnswerVCard answers a request for somebody's profile (XEP-0054) as a login sees them. The network is not asked for those who are
// in memory: clients ask for all whose presence has the hash of a picture.
func (d *Directory) AnswerVCard(ctx context.Context, l *logins.Login, id transports.UserID, st *stanza.Stanza) {
	u, ok := d.Cached(id)
	var err error
	if !ok || !d.Sees(ctx, l, id) {
		u, ok, err = d.Shown(ctx, l, id)
	} else {
		u, err = d.withAddresses(ctx, l, u)
	}
	switch {
	case err != nil:
		d.env.Log.Error("answering for a profile", "user", id, "error", err)
		d.env.Send(st.ErrorReply(stanza.FromError(err)))
	case !ok:
		d.env.Send(st.ErrorReply(stanza.ItemNotFound("")))
	default:
		d.env.Send(st.Result(convert.VCard(u, d.Photos.Photo(ctx, l, u))))
	}
}
