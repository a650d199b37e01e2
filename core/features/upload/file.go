package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Purpose says how long a file is meant to be kept (XEP-0363 §5).
type Purpose string

// The purposes that are supported. The optional one named permanent is not.
const (
	Message   Purpose = "message"
	Profile   Purpose = "profile"
	Ephemeral Purpose = "ephemeral"
)

// File is a file, or a slot for one.
type File struct {
	ID      string
	Account jid.JID // bare
	Name    string
	Type    string // media type; "" if the slot was requested without one and nothing was uploaded yet
	Size    int64
	Purpose Purpose
	Created time.Time // of the slot
	Until   time.Time // when an ephemeral file has to be gone; else zero
	// Expires is when a slot ends that was not used. For a stored file it is Until.
	Expires time.Time
	Stored  time.Time // zero: not yet

	replaceable bool // whoever has uploaded it may upload another one in its place
}

// Quota limits what an account has in Store. Zero means no limit.
type Quota struct {
	Daily      int64 // bytes of the slots of the last 24 hours
	DailyFiles int   // number of them
	Total      int64 // bytes of all files and slots
	Purpose    int   // files of the same purpose
	Keep       time.Duration
}

// Exceeded is returned by Store.AddUpload if an account would have too much.
type Exceeded struct {
	Setting string    // such as upload.daily
	Retry   time.Time // when it may try again; zero: not known
}

func (e *Exceeded) Error() string { return "more than " + e.Setting }

// ErrNotFound is returned by a Store for a file that it does not have.
var ErrNotFound = errors.New("no such file")

// Selection selects files to be deleted: those of an account, or, if Account is the zero value, those whose time is over.
type Selection struct {
	Account jid.JID
	Expired time.Time // whose Expires is before it
	Created time.Time // whose Created is before it, files of profiles excepted; zero: none
	Limit   int
}

// over reports whether the time of a file is over at the time of the selection.
func (s *Selection) over(f *File) bool {
	var keep time.Duration
	if !s.Created.IsZero() {
		keep = s.Expired.Sub(s.Created)
	}
	return f.over(s.Expired, keep)
}

// Store keeps what is known about files.
type Store interface {
	// AddUpload adds a slot if the quota permits it; else it returns an *Exceeded.
	AddUpload(ctx context.Context, f File, q Quota) error
	// StoreUpload marks a file as stored, with its final Type, Expires and Stored. It returns ErrNotFound if the file is not there any
	// more or was stored before.
	StoreUpload(ctx context.Context, f File) error
	Upload(ctx context.Context, id string) (File, error)
	SelectUploads(ctx context.Context, s Selection) ([]string, error)
	DeleteUpload(ctx context.Context, id string) error
}

// Files keeps the contents.
type Files interface {
	// Create stores a file; it is there as a whole or not at all. An error whose method TryLater returns true means that there is no room.
	Create(ctx context.Context, id string, size int64, content io.Reader) error
	// Open returns fs.ErrNotExist for a file that does not exist.
	Open(ctx context.Context, id string) (io.ReadSeekCloser, error)
	Delete(ctx context.Context, id string) error
	// Room returns an error of the kind that Create returns, if it is known that there is no room.
	Room(size int64) error
}

// Redirector is implemented by Files that can give out their files themselves, at addresses that are good for a short time.
type Redirector interface {
	URL(ctx context.Context, id string, header http.Header) (string, error)
}

// Limits are those of the settings.
type Limits struct {
	Size         int64 // of a file
	ProfileSize  int64
	ProfileFiles int
	Quota        Quota
}

// sizeLimit returns the limit for a purpose, and the name of its setting.
func (l *Limits) sizeLimit(p Purpose) (int64, string) {
	if p == Profile {
		return min(l.ProfileSize, l.Size), "upload.profile_size"
	}
	return l.Size, "upload.size"
}

// quota returns the quota for a purpose.
func (l *Limits) quota(p Purpose) Quota {
	q := l.Quota
	if p == Profile {
		q.Purpose = l.ProfileFiles
	}
	return q
}

// over reports whether the time of a file is over.
func (f *File) over(now time.Time, keep time.Duration) bool {
	return !f.Expires.IsZero() && now.After(f.Expires) || keep > 0 && f.Purpose != Profile && now.After(f.Created.Add(keep))
}

// end returns when the time of a stored file is over; zero: never.
func (f *File) end(keep time.Duration) time.Time {
	end := f.Expires
	if keep > 0 && f.Purpose != Profile {
		if kept := f.Created.Add(keep); end.IsZero() || kept.Before(end) {
			end = kept
		}
	}
	return end
}

func (f *File) String() string { return fmt.Sprintf("file %s of %s", f.ID, f.Account) }
