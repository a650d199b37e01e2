package puppets

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
)

// PhotoStore keeps the hashes of pictures.
type PhotoStore interface {
	// Picture is where somebody's picture was read, and its hash; both are empty where none was.
	Picture(ctx context.Context, id transports.UserID) (source, hash string, err error)
	PutPicture(ctx context.Context, id transports.UserID, source, hash string) error
}

// Limits of what is remembered and read at once.
const (
	maxHashes   = 50_000
	maxCached   = 16 << 20 // bytes of pictures
	maxFetches  = 2        // at once
	maxWaiting  = 10_000   // pictures that wait to be read
	maxNotified = 20       // callbacks for one picture

	retryPhoto = time.Hour
)

// Photos has the pictures of people: their hashes, which presence has (XEP-0153), and some of the pictures, which clients ask for by
// vCard. A picture is read from the network in the background when it is to be shown for the first time.
type Photos struct {
	env   *gateway.Env
	store PhotoStore
	fetch *fetcher

	mu      sync.Mutex
	hashes  map[transports.UserID]photoHash
	data    map[string][]byte // by source
	bytes   int               // of data
	waiting []photoRequest
	notify  map[transports.UserID][]func() // of pictures that wait or are being read
	running int
}

// photoHash is the hash of the picture at a source; "" where it could not be read, which is tried again later.
type photoHash struct {
	source, hash string
	again        time.Time
}

type photoRequest struct {
	login *logins.Login
	user  transports.UserInfo
}

// NewPhotos makes the pictures of a gateway.
func NewPhotos(env *gateway.Env, store PhotoStore) *Photos {
	return &Photos{
		env: env, store: store, fetch: newFetcher(env.Info.Origin),
		hashes: map[transports.UserID]photoHash{}, data: map[string][]byte{}, notify: map[transports.UserID][]func(){},
	}
}

// photoSource is where somebody's picture is; "" where they have none.
func photoSource(u transports.UserInfo) string {
	if u.Avatar == "" && u.AvatarRef == "" {
		return ""
	}
	return strings.Join([]string{u.Avatar, u.AvatarRef, u.AvatarKey}, " ")
}

// Hash is the hash of somebody's picture, for presence; "" where they have none. While it is not known it is read, and changed is
// called, from any goroutine, when there is one.
func (p *Photos) Hash(l *logins.Login, u transports.UserInfo, changed func()) (hash string, known bool) {
	source := photoSource(u)
	if source == "" {
		return "", true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if h, ok := p.hashes[u.ID]; ok && h.source == source && (h.hash != "" || p.env.Now().Before(h.again)) {
		return h.hash, h.hash != ""
	}
	list, waits := p.notify[u.ID]
	if waits || len(p.waiting) < maxWaiting {
		if len(list) < maxNotified {
			p.notify[u.ID] = append(list, changed)
		}
	}
	if waits || len(p.waiting) >= maxWaiting {
		return "", false
	}
	p.waiting = append(p.waiting, photoRequest{l, u})
	if p.running < maxFetches && p.env.Group.Go(p.work) {
		p.running++
	}
	return "", false
}

// work reads pictures until none waits.
func (p *Photos) work(ctx context.Context) {
	for {
		p.mu.Lock()
		if len(p.waiting) == 0 || ctx.Err() != nil {
			p.running--
			p.mu.Unlock()
			return
		}
		next := p.waiting[0]
		p.waiting = p.waiting[1:]
		p.mu.Unlock()
		found := p.learn(ctx, next)
		p.mu.Lock()
		list := p.notify[next.user.ID]
		delete(p.notify, next.user.ID)
		p.mu.Unlock()
		if found {
			for _, f := range list {
				f()
			}
		}
	}
}

// learn finds the hash of a picture: as it is stored, or by reading the picture.
func (p *Photos) learn(ctx context.Context, r photoRequest) bool {
	defer p.env.Recover("reading a picture")
	source := photoSource(r.user)
	stored, hash, err := p.store.Picture(ctx, r.user.ID)
	if err == nil && stored == source && hash != "" {
		p.setHash(r.user.ID, photoHash{source: source, hash: hash})
		return true
	}
	_, ok := p.read(ctx, r.login, r.user)
	if !ok {
		p.setHash(r.user.ID, photoHash{source: source, again: p.env.Now().Add(retryPhoto)})
	}
	return ok
}

// Photo is somebody's picture as a vCard has it; nil where there is none that fits.
func (p *Photos) Photo(ctx context.Context, l *logins.Login, u transports.UserInfo) *convert.Photo {
	source := photoSource(u)
	if source == "" {
		return nil
	}
	p.mu.Lock()
	data, ok := p.data[source]
	p.mu.Unlock()
	if !ok {
		if data, ok = p.read(ctx, l, u); !ok {
			return nil
		}
	}
	return &convert.Photo{Type: photoType(data), Data: data}
}

// read reads a picture from the network and keeps its hash.
func (p *Photos) read(ctx context.Context, l *logins.Login, u transports.UserInfo) ([]byte, bool) {
	ctx, cancel := context.WithTimeout(ctx, gateway.LookupTimeout)
	defer cancel()
	data, err := p.open(ctx, l, u)
	if err != nil {
		p.env.Log.Debug("reading a picture", "user", u.ID, "error", err)
		return nil, false
	}
	sum := sha1.Sum(data)
	h := photoHash{source: photoSource(u), hash: hex.EncodeToString(sum[:])}
	p.setHash(u.ID, h)
	if err := p.store.PutPicture(ctx, u.ID, h.source, h.hash); err != nil {
		p.env.Log.Error("keeping the hash of a picture", "user", u.ID, "error", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bytes+len(data) > maxCached {
		clear(p.data)
		p.bytes = 0
	}
	if p.data[h.source] == nil {
		p.data[h.source] = data
		p.bytes += len(data)
	}
	return data, true
}

func (p *Photos) open(ctx context.Context, l *logins.Login, u transports.UserInfo) ([]byte, error) {
	if u.Avatar != "" {
		return p.fetch.fetch(ctx, u.Avatar)
	}
	if l == nil {
		return nil, errors.New("no login can be asked for it")
	}
	opener, ok := l.Client().(transports.MediaOpener)
	if !ok || !p.env.Info.Caps.Media {
		return nil, errors.New("the network cannot be asked for it now")
	}
	content, file, err := opener.OpenFile(ctx, u.AvatarRef)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	if file.Size > maxPhoto {
		return nil, errors.New("it is too large")
	}
	return readPhoto(content)
}

func (p *Photos) setHash(id transports.UserID, h photoHash) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.hashes) >= maxHashes {
		clear(p.hashes)
	}
	p.hashes[id] = h
}
