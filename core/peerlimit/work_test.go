package peerlimit

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// What a network has begun counts until it has ended, however many connections it opens and closes.
func TestWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOpener(t, ConnectionLimits{Open: 10})
		var ends []func()
		for i := range 3 {
			c := o.open("192.0.2.1", Accepted)
			done, ok := c.Work(2)
			if ok != (i < 2) {
				t.Errorf("thing %d is begun: %v", i, ok)
			}
			if ok {
				ends = append(ends, done)
			}
			c.Closed()
			time.Sleep(5 * time.Second)
			o.open("192.0.2.2", Accepted).Closed() // networks without connections are forgotten
		}
		if _, ok := o.open("192.0.2.2", Accepted).Work(2); !ok {
			t.Error("another network waits")
		}
		ends[0]()
		ends[0]()
		c := o.open("192.0.2.1", Accepted)
		if _, ok := c.Work(2); !ok {
			t.Error("what has ended counts")
		}
		if _, ok := c.Work(2); ok {
			t.Error("what has ended counts twice")
		}
		n := 0
		for i := range 40 { // an IPv6 /48
			if _, ok := o.open(fmt.Sprintf("2001:db8:0:%x::1", i), Accepted).Work(2); ok {
				n++
			}
		}
		if n != 2*wideFactor {
			t.Errorf("a /48 has begun %d", n)
		}
	})
}
