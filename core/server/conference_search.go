package server

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/features/conference"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// searchedRooms are the rooms of a conference service for the search over everything that an account may see.
type searchedRooms struct{ service *conference.Service }

var _ archive.Rooms = searchedRooms{}

// Readable implements archive.Rooms: the rooms in which the account is a member, or one that it names.
func (s searchedRooms) Readable(ctx context.Context, account, room jid.JID, limit int) ([]archive.Readable, error) {
	rooms := []jid.JID{room}
	if room.IsZero() {
		var err error
		if rooms, err = s.service.Readable(ctx, account); err != nil {
			return nil, err
		}
	}
	var list []archive.Readable
	for _, at := range rooms[:min(len(rooms), limit)] {
		if at.Local() == "" {
			continue
		}
		r := searchedRoom{s.service, account, at}
		list = append(list, archive.Readable{JID: at, Store: r, Confirm: r.confirm})
	}
	return list, nil
}

// searchedRoom is the archive of a room for an account. The room is asked each time whether the account may read it.
type searchedRoom struct {
	service     *conference.Service
	account, at jid.JID
}

// Query implements archive.Store: nothing is found in a room that the account may not read, or that is not there.
func (r searchedRoom) Query(ctx context.Context, _ jid.JID, f archive.Filter, p archive.Page) (archive.Result, error) {
	store, err := r.service.Archive(ctx, r.account, r.at)
	if _, refused := errors.AsType[*stanza.Error](err); refused || errors.Is(err, admin.ErrNoRoom) {
		return archive.Result{Complete: true}, nil
	}
	if err != nil {
		return archive.Result{}, err
	}
	return store.Query(ctx, r.at, f, p)
}

// Ends implements archive.Store.
func (r searchedRoom) Ends(ctx context.Context, _ jid.JID) (first, last archive.Mark, err error) {
	store, err := r.service.Archive(ctx, r.account, r.at)
	if err != nil {
		return first, last, err
	}
	return store.Ends(ctx, r.at)
}

func (r searchedRoom) confirm(ctx context.Context) error {
	_, err := r.service.Archive(ctx, r.account, r.at)
	return err
}
