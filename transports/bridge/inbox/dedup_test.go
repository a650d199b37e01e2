package inbox

import (
	"errors"
	"testing"

	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

func TestDedup(t *testing.T) {
	t.Parallel()
	var d dedup
	id := eventID{1, "k"}
	if stored, pending := d.look(id, nil); stored || pending {
		t.Error("known before it came")
	}
	first := d.begin(id)
	if first == nil || d.begin(id) != nil {
		t.Error("it is pending twice")
	}
	var got []error
	if stored, pending := d.look(id, func(err error) { got = append(got, err) }); stored || !pending {
		t.Error("not seen while it is being stored")
	}
	failed := errors.New("disk full")
	d.end(first, failed)
	if len(got) != 1 || got[0] != failed {
		t.Errorf("the other login was told %v", got)
	}
	epoch := d.currentEpoch()
	d.add(epoch, []tables.Event{{Room: 1, Key: "k"}})
	if stored, _ := d.look(id, nil); !stored {
		t.Error("not recognised")
	}
	d.forget()
	d.add(epoch, []tables.Event{{Room: 1, Key: "k"}}) // written before rooms were removed
	if stored, _ := d.look(id, nil); stored {
		t.Error("recognised for a room that was removed")
	}
}
