package upload

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/dragoman-im/dragoman/core/blob"
)

// Direct is a storage to which clients can send files themselves, at signed addresses. What such an address cannot enforce is checked when
// the file is asked for, and when its slot has ended.
type Direct interface {
	// CheckSigned returns an error if files of another size than the signed one are not known to be refused, because then the quotas would
	// have no meaning: blob.ErrUnenforced if they are accepted.
	CheckSigned(ctx context.Context) error
	// PutURL returns an address at which a file of that size can be stored for some time; typ, which may be empty, is the header
	// Content-Type that has to be sent.
	PutURL(ctx context.Context, id string, size int64, typ string, good time.Duration) (string, error)
	// Stat returns the size of a file and the media type with which it was sent, or fs.ErrNotExist.
	Stat(ctx context.Context, id string) (size int64, typ string, err error)
	// List calls f for each file and when it was stored, until f returns an error.
	List(ctx context.Context, f func(id string, stored time.Time) error) error
}

// directTime is how long an upload may go on after its slot has ended: the storage does not tell how far it is.
const directTime = time.Hour

// checkDirect finds out whether clients may send files to the storage themselves; until that is known they send them to this server.
func (u *Uploads) checkDirect(ctx context.Context) {
	if u.Direct == nil || u.direct.checked {
		return
	}
	err := u.Direct.CheckSigned(ctx)
	switch {
	case err == nil:
		u.direct.on.Store(true)
	case errors.Is(err, blob.ErrUnenforced):
		u.Log.Warn("clients upload through this server: the storage accepts files of another size than the address is signed for", "setting", "upload.s3_public")
	default:
		u.Log.Warn("clients upload through this server: the storage could not be tried", "err", err)
		return // try again later
	}
	u.direct.checked = true
}

// settle finds out whether a client has sent the file of a slot to the storage, and returns ErrNotFound if it has not. Until the slot has
// ended, the client may send another file in its place: only then settle notes in Store that the file is stored.
func (u *Uploads) settle(ctx context.Context, f *File, now time.Time) error {
	size, typ, err := u.Direct.Stat(ctx, f.ID)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ErrNotFound
	case err != nil:
		return fmt.Errorf("look for %s: %w", f, err)
	case size != f.Size:
		u.Log.Warn("the storage has taken a file of another size than its slot", "file", f.ID, "account", f.Account, "size", size)
		return ErrNotFound
	}
	if f.Type == "" {
		f.Type, _ = parseType(typ)
	}
	f.Stored = now
	ended := now.After(f.Expires)
	if ended || !f.Until.IsZero() && f.Until.Before(f.Expires) {
		f.Expires = f.Until
	}
	if f.replaceable = !ended; f.replaceable {
		return nil
	}
	return u.Store.StoreUpload(ctx, *f)
}

// sweepEvery is how often files are looked for in the storage of which Store knows nothing.
const sweepEvery = 24 * time.Hour

// sweep deletes the files that clients have sent to the storage when their slot was gone: a signed address cannot be taken back.
func (u *Uploads) sweep(ctx context.Context, now time.Time) error {
	if u.Direct == nil || now.Sub(u.direct.swept) < sweepEvery {
		return nil
	}
	deleted := 0
	err := u.Direct.List(ctx, func(id string, stored time.Time) error {
		if stored.After(now.Add(-2 * directTime)) { // the storage may have another clock
			return nil
		}
		switch _, err := u.Store.Upload(ctx, id); {
		case err == nil:
			return nil
		case !errors.Is(err, ErrNotFound):
			return err
		}
		deleted++
		return u.Files.Delete(ctx, id)
	})
	if deleted > 0 {
		u.Log.Info("files deleted that came when their slots were gone", "files", deleted)
	}
	if err != nil {
		return fmt.Errorf("look for files without a slot: %w", err)
	}
	u.direct.swept = now
	return nil
}

// deletedSlots are files that were deleted while the addresses of their slots were good: they are deleted again afterwards.
type deletedSlots map[string]time.Time

// noteDeleted notes the deletion of a file whose slot may still be used.
func (u *Uploads) noteDeleted(f *File) {
	if u.Direct == nil || !f.Stored.IsZero() || f.Expires.Before(u.now()) {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.direct.deleted == nil {
		u.direct.deleted = deletedSlots{}
	}
	u.direct.deleted[f.ID] = f.Expires
}

// deleteAgain deletes files that may have come after their deletion.
func (u *Uploads) deleteAgain(ctx context.Context, now time.Time) error {
	u.mu.Lock()
	var ended []string
	for id, at := range u.direct.deleted {
		if now.After(at) {
			ended = append(ended, id)
		}
	}
	u.mu.Unlock()
	for _, id := range ended {
		if err := u.Files.Delete(ctx, id); err != nil {
			return fmt.Errorf("delete file %s: %w", id, err)
		}
		u.mu.Lock()
		delete(u.direct.deleted, id)
		u.mu.Unlock()
	}
	return nil
}
