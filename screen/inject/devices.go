package inject

import (
	"bytes"
	"time"

	"github.com/jezek/xgb"
)

// The requests of the X Input Extension that are used (XI protocol 1.5). Only they tell the customer's own keyboards from
// the one of XTEST.
const (
	xiListDevices = 2
	xiOpenDevice  = 3
	xiQueryState  = 30

	xiSlaveKeyboard = 3 // IsXExtensionKeyboard
	xiKeyClass      = 0

	xiPatience = 500 * time.Millisecond
)

// keySet is a set of keycodes, as the server writes it.
type keySet [32]byte

func (s *keySet) has(code uint8) bool { return s[code/8]>>(code%8)&1 == 1 }

// keyboards asks the customer's keyboards what is down. It has a connection of its own, because a keyboard that is
// unplugged between two requests gives an error that xgb has no name for and never delivers: then the connection is closed.
// Owned by who holds X11.mu.
type keyboards struct {
	display string
	conn    *xgb.Conn
	done    chan struct{}
	input   extension
	opened  map[byte]bool
	absent  bool // the display has no X Input Extension
}

// down is what is held on any keyboard but XTEST's; nothing where the display cannot say.
func (k *keyboards) down() *keySet {
	out := new(keySet)
	if k.absent || !k.open() {
		return out
	}
	list, err := k.ask(xiListDevices, nil)
	if err != nil {
		return out
	}
	for _, id := range slaveKeyboards(list) {
		if !k.opened[id] {
			if _, err := k.ask(xiOpenDevice, []byte{id}); err != nil {
				return out
			}
			k.opened[id] = true
		}
		r, err := k.ask(xiQueryState, []byte{id})
		if err != nil {
			return out
		}
		out.add(r)
	}
	return out
}

// add joins the key state of a reply to QueryDeviceState.
func (s *keySet) add(r []byte) {
	if len(r) < 32 {
		return
	}
	classes, b := int(r[8]), r[32:]
	for ; classes > 0 && len(b) >= 2 && int(b[1]) >= 2 && int(b[1]) <= len(b); classes-- {
		if b[0] == xiKeyClass && b[1] >= 36 {
			for i := range s {
				s[i] |= b[4+i]
			}
		}
		b = b[b[1]:]
	}
}

// slaveKeyboards lists the customer's keyboards in a reply to ListInputDevices: device records, then the class records of
// all of them, then the names.
func slaveKeyboards(r []byte) []byte {
	if len(r) < 32 || len(r) < 32+8*int(r[8]) {
		return nil
	}
	n := int(r[8])
	devices, b := r[32:32+8*n], r[32+8*n:]
	for i := range n {
		for range devices[i*8+5] {
			if len(b) < 2 || int(b[1]) > len(b) {
				return nil
			}
			b = b[b[1]:]
		}
	}
	var out []byte
	for i := range n {
		if len(b) < 1 || len(b) < 1+int(b[0]) {
			return nil
		}
		name := b[1 : 1+b[0]]
		b = b[1+len(name):]
		if devices[i*8+6] == xiSlaveKeyboard && !bytes.Contains(name, []byte("XTEST")) {
			out = append(out, devices[i*8+4])
		}
	}
	return out
}

func (k *keyboards) open() bool {
	if k.conn != nil {
		return true
	}
	c, err := xgb.NewConnDisplay(k.display)
	if err != nil {
		return false
	}
	k.conn, k.done, k.opened = c, make(chan struct{}), map[byte]bool{}
	go func(done chan struct{}) {
		defer close(done)
		for {
			if ev, err := c.WaitForEvent(); ev == nil && err == nil {
				return
			}
		}
	}(k.done)
	if k.input, err = openExtension(c, "XInputExtension"); err != nil {
		k.close()
		k.absent = true
		return false
	}
	return true
}

// ask sends a request and gives the server a while to answer.
func (k *keyboards) ask(minor byte, body []byte) ([]byte, error) {
	c := k.conn
	if c == nil {
		return nil, errShort
	}
	late := time.AfterFunc(xiPatience, c.Close)
	r, err := k.input.ask(minor, body)
	if !late.Stop() || err != nil {
		k.close()
	}
	return r, err
}

func (k *keyboards) close() {
	if k.conn == nil {
		return
	}
	k.conn.Close()
	<-k.done
	k.conn = nil
}
