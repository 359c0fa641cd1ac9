package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"

	"github.com/quic-go/quic-go"

	"assist/transport/wire"
)

// verifyRelay checks the relay's key against the pin or, without one, its certificate against the system's authorities.
func verifyRelay(cs tls.ConnectionState, pin Pin, host string) error {
	leaf, err := leafOf(cs)
	if err != nil {
		return &RelayKeyError{Want: pin, Err: err}
	}
	got := FingerprintOf(leaf)
	if pin != "" {
		if !pin.Match(got) {
			return &RelayKeyError{Want: pin, Got: got.Pin()}
		}
		return nil
	}
	chain := x509.NewCertPool()
	for _, c := range cs.PeerCertificates[1:] {
		chain.AddCert(c)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Intermediates: chain}); err != nil {
		return &RelayKeyError{Got: got.Pin(), Err: err}
	}
	return nil
}

// refusal turns what ended a dial into one of the three errors of DialRelay.
func refusal(addr string, err error) error {
	var told *ProblemError
	if errors.As(err, &told) {
		return told
	}
	var closed *quic.ApplicationError
	if errors.As(err, &closed) && closed.Remote && closed.ErrorCode != 0 {
		return &ProblemError{Code: uint32(closed.ErrorCode), Text: closed.ErrorMessage}
	}
	var refused *quic.TransportError
	if errors.As(err, &refused) && refused.Remote && refused.ErrorCode == quic.ConnectionRefused {
		return &ProblemError{Code: wire.CodeFull, Text: "the relay takes no more connections now"}
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &RelayUnreachableError{addr, plainError(err)}
}
