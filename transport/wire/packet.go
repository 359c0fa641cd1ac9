package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// Packets beside the outer connection share its UDP port. Their first byte is below 0x40, which no QUIC v1 packet has
// (RFC 9000, 17.2 and 17.3: the fixed bit), so one look tells them apart. All numbers are big-endian.
//
//	forward    10 | channel 8 | peer 2 | QUIC packet of the end-to-end connection
//	bind       11 | channel 8 | counter 8 | token 16 | zero 2 | mac 16    end -> relay: send my packets to where this came from
//	bind ack   12 | channel 8 | counter 8 | address 16 | port 2 | mac 16  relay -> end: done, and this is where you are seen
//	challenge  13 | channel 8 | counter 8 | token 16 | mac 16             relay -> end: bind again with this token
//	rebind     14 | channel 8 | mac 16                                    relay -> end: this address is not bound
//	unknown    15 | channel 8                                             relay -> end: no such channel (any more)
//
// The relay never answers with more bytes than it was sent: a bind has the length of its ack, and hints answer only longer
// packets.
const (
	TypeForward   = 0x10
	TypeBind      = 0x11
	TypeBindAck   = 0x12
	TypeChallenge = 0x13
	TypeRebind    = 0x14
	TypeUnknown   = 0x15

	// FirstQUIC is the lowest first byte of a QUIC packet.
	FirstQUIC = 0x40
)

// Lengths in bytes.
const (
	ForwardHeader = 1 + 8 + 2
	SecretLen     = 32
	TokenLen      = 16

	macLen       = 16
	bindLen      = 1 + 8 + 8 + TokenLen + 2 + macLen
	bindAckLen   = 1 + 8 + 8 + 16 + 2 + macLen
	challengeLen = 1 + 8 + 8 + TokenLen + macLen
	rebindLen    = 1 + 8 + macLen
	unknownLen   = 1 + 8
)

// HintLen is the length of the longest hint; a shorter packet gets no answer.
const HintLen = rebindLen

// ErrPacket says that a packet beside the outer connection has not the form of its type.
var ErrPacket = errors.New("malformed packet")

// errForward is made once: that a packet is another kind is found out for each.
var errForward = fmt.Errorf("forward: %w", ErrPacket)

// Forward is the header of a packet that is passed on. Towards the relay, Channel is the sender's and Peer says for whom it
// is; from the relay, Channel is the receiver's and Peer says from whom it comes.
type Forward struct {
	Channel uint64
	Peer    uint16
}

// Append appends the header to b.
func (f Forward) Append(b []byte) []byte {
	b = append(b, TypeForward)
	b = binary.BigEndian.AppendUint64(b, f.Channel)
	return binary.BigEndian.AppendUint16(b, f.Peer)
}

// ParseForward reads the header at the start of b. The packet that follows has at least one byte.
func ParseForward(b []byte) (Forward, error) {
	if len(b) <= ForwardHeader || b[0] != TypeForward {
		return Forward{}, errForward
	}
	return Forward{binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint16(b[9:])}, nil
}

// ChannelOf is the channel that any packet beside the outer connection names in bytes 1 to 8.
func ChannelOf(b []byte) (uint64, error) {
	if len(b) < unknownLen || b[0] >= FirstQUIC {
		return 0, fmt.Errorf("channel: %w", ErrPacket)
	}
	return binary.BigEndian.Uint64(b[1:]), nil
}

// Bind asks the relay to send the packets of a channel to the address that this packet comes from. Counter grows strictly
// with every Bind of a channel, so that a recorded one is worth nothing. Token is what a Challenge to this address carried,
// else zero.
type Bind struct {
	Channel uint64
	Counter uint64
	Token   [TokenLen]byte
}

// Append appends the packet to b, with a MAC under the channel's secret.
func (p Bind) Append(b, secret []byte) []byte {
	start := len(b)
	b = appendHead(b, TypeBind, p.Channel, p.Counter)
	b = append(b, p.Token[:]...)
	b = append(b, 0, 0)
	return appendMAC(b, start, secret)
}

// ParseBind reads a Bind; whether it is authentic is Authentic's answer.
func ParseBind(b []byte) (Bind, error) {
	if len(b) != bindLen || b[0] != TypeBind || b[33] != 0 || b[34] != 0 {
		return Bind{}, fmt.Errorf("bind: %w", ErrPacket)
	}
	return Bind{binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint64(b[9:]), [TokenLen]byte(b[17:33])}, nil
}

// BindAck answers the Bind of the same counter: packets now go to Observed.
type BindAck struct {
	Channel  uint64
	Counter  uint64
	Observed netip.AddrPort // IPv4 is not mapped
}

// Append appends the packet to b, with a MAC under the channel's secret.
func (p BindAck) Append(b, secret []byte) []byte {
	start := len(b)
	b = appendHead(b, TypeBindAck, p.Channel, p.Counter)
	return appendMAC(appendAddr(b, p.Observed), start, secret)
}

// ParseBindAck reads a BindAck; whether it is authentic is Authentic's answer.
func ParseBindAck(b []byte) (BindAck, error) {
	if len(b) != bindAckLen || b[0] != TypeBindAck {
		return BindAck{}, fmt.Errorf("bind ack: %w", ErrPacket)
	}
	return BindAck{binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint64(b[9:]), parseAddr(b[17:])}, nil
}

// Challenge answers a Bind from an address of which the relay does not know yet that it can receive: the token, sent back
// in the next Bind, shows it. Without it a member could point the relay's packets at a third party.
type Challenge struct {
	Channel uint64
	Counter uint64
	Token   [TokenLen]byte
}

// Append appends the packet to b, with a MAC under the channel's secret.
func (p Challenge) Append(b, secret []byte) []byte {
	start := len(b)
	b = appendHead(b, TypeChallenge, p.Channel, p.Counter)
	b = append(b, p.Token[:]...)
	return appendMAC(b, start, secret)
}

// ParseChallenge reads a Challenge; whether it is authentic is Authentic's answer.
func ParseChallenge(b []byte) (Challenge, error) {
	if len(b) != challengeLen || b[0] != TypeChallenge {
		return Challenge{}, fmt.Errorf("challenge: %w", ErrPacket)
	}
	return Challenge{binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint64(b[9:]), [TokenLen]byte(b[17:33])}, nil
}

// Rebind hints that packets of the channel come from an address that is not bound to it.
type Rebind struct{ Channel uint64 }

// Append appends the packet to b, with a MAC under the channel's secret.
func (p Rebind) Append(b, secret []byte) []byte {
	start := len(b)
	b = append(b, TypeRebind)
	b = binary.BigEndian.AppendUint64(b, p.Channel)
	return appendMAC(b, start, secret)
}

// ParseRebind reads a Rebind; whether it is authentic is Authentic's answer.
func ParseRebind(b []byte) (Rebind, error) {
	if len(b) != rebindLen || b[0] != TypeRebind {
		return Rebind{}, fmt.Errorf("rebind: %w", ErrPacket)
	}
	return Rebind{binary.BigEndian.Uint64(b[1:])}, nil
}

// Unknown hints that the relay has no such channel. It carries no MAC, for the relay has no secret to make one with: it may
// make a receiver ask again over the outer connection, never give up.
type Unknown struct{ Channel uint64 }

// Append appends the packet to b.
func (p Unknown) Append(b []byte) []byte {
	return binary.BigEndian.AppendUint64(append(b, TypeUnknown), p.Channel)
}

// ParseUnknown reads an Unknown.
func ParseUnknown(b []byte) (Unknown, error) {
	if len(b) != unknownLen || b[0] != TypeUnknown {
		return Unknown{}, fmt.Errorf("unknown: %w", ErrPacket)
	}
	return Unknown{binary.BigEndian.Uint64(b[1:])}, nil
}

// Authentic says whether the last 16 bytes of b are its MAC under secret. The comparison takes the same time either way.
func Authentic(b, secret []byte) bool {
	if len(b) <= macLen {
		return false
	}
	n := len(b) - macLen
	return hmac.Equal(b[n:], mac(b[:n], secret))
}

func appendHead(b []byte, kind byte, channel, counter uint64) []byte {
	b = binary.BigEndian.AppendUint64(append(b, kind), channel)
	return binary.BigEndian.AppendUint64(b, counter)
}

func appendMAC(b []byte, start int, secret []byte) []byte {
	return append(b, mac(b[start:], secret)...)
}

// mac is HMAC-SHA256 (RFC 2104) truncated to 16 bytes; the type byte at the start keeps the kinds apart.
func mac(b, secret []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write(b)
	return h.Sum(nil)[:macLen]
}
