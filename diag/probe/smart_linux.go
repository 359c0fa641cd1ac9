package probe

import (
	"context"
	"encoding/json"
	"errors"
	"path"
	"strings"

	"github.com/godbus/dbus/v5"

	"assist/diag"
)

// smart asks about the health of drives: udisks over D-Bus, which answers everybody, and smartctl, which answers root.
func smart(ctx context.Context, names []string) (map[string]diag.Smart, error) {
	var real []string
	for _, n := range names {
		if !virtual(n) {
			real = append(real, n)
		}
	}
	if len(real) == 0 {
		return nil, nil
	}
	out, err := smartOverBus(ctx)
	for _, name := range real {
		if _, known := out[name]; known {
			continue
		}
		text, failed := ask(ctx, "smartctl", "-j", "-H", "-A", "-n", "standby", "/dev/"+name)
		h, ok := parseSmart(name, text)
		if !ok {
			err = errors.Join(err, failed)
			continue
		}
		if out == nil {
			out = map[string]diag.Smart{}
		}
		out[name] = h
	}
	return out, err
}

// parseSmart reads what smartctl -j prints. It exits with bits that tell of problems, so the text decides.
func parseSmart(name, text string) (diag.Smart, bool) {
	var r struct {
		Status *struct {
			Passed bool `json:"passed"`
		} `json:"smart_status"`
		Temperature struct {
			Current float64 `json:"current"`
		} `json:"temperature"`
		ATA struct {
			Table []struct {
				ID  int `json:"id"`
				Raw struct {
					Value int64 `json:"value"`
				} `json:"raw"`
			} `json:"table"`
		} `json:"ata_smart_attributes"`
		NVMe *struct {
			Used int `json:"percentage_used"`
		} `json:"nvme_smart_health_information_log"`
	}
	if json.Unmarshal([]byte(text), &r) != nil || r.Status == nil {
		return diag.Smart{}, false
	}
	h := diag.Smart{Drive: name, Passed: r.Status.Passed, Celsius: r.Temperature.Current, Reallocated: -1, Pending: -1, Worn: -1}
	for _, a := range r.ATA.Table {
		switch a.ID {
		case 5:
			h.Reallocated = a.Raw.Value
		case 197:
			h.Pending = a.Raw.Value
		}
	}
	if r.NVMe != nil {
		h.Worn = r.NVMe.Used
	}
	return h, true
}

// objects is what GetManagedObjects of org.freedesktop.DBus.ObjectManager returns.
type objects map[dbus.ObjectPath]map[string]map[string]dbus.Variant

func smartOverBus(ctx context.Context) (map[string]diag.Smart, error) {
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return nil, errors.New("no system bus to ask udisks over")
	}
	defer bus.Close()
	var all objects
	o := bus.Object("org.freedesktop.UDisks2", "/org/freedesktop/UDisks2")
	if err := o.CallWithContext(ctx, "org.freedesktop.DBus.ObjectManager.GetManagedObjects", dbus.FlagNoAutoStart).Store(&all); err != nil {
		return nil, errors.New("udisks does not run here")
	}
	return parseDrives(all), nil
}

// parseDrives joins block devices and the drives that they are on.
func parseDrives(all objects) map[string]diag.Smart {
	const iface = "org.freedesktop.UDisks2."
	out := map[string]diag.Smart{}
	for where, has := range all {
		block, isBlock := has[iface+"Block"]
		if !isBlock || has[iface+"Partition"] != nil {
			continue
		}
		drive, _ := block["Drive"].Value().(dbus.ObjectPath)
		h := diag.Smart{Drive: path.Base(string(where)), Passed: true, Reallocated: -1, Pending: -1, Worn: -1}
		if ata := all[drive][iface+"Drive.Ata"]; ata != nil && get[bool](ata, "SmartSupported") && get[uint64](ata, "SmartUpdated") > 0 {
			h.Passed = !get[bool](ata, "SmartFailing")
			h.Pending = get[int64](ata, "SmartNumBadSectors")
			if k := get[float64](ata, "SmartTemperature"); k > 0 {
				h.Celsius = k - 273.15
			}
		} else if nvme := all[drive][iface+"NVMe.Controller"]; nvme != nil && get[uint64](nvme, "SmartUpdated") > 0 {
			warnings := get[[]string](nvme, "SmartCriticalWarning")
			h.Passed = len(warnings) == 0
			if k := get[uint16](nvme, "SmartTemperature"); k > 0 {
				h.Celsius = float64(k) - 273.15
			}
		} else {
			continue
		}
		out[strings.TrimSpace(h.Drive)] = h
	}
	return out
}

func get[T any](props map[string]dbus.Variant, name string) T {
	v, _ := props[name].Value().(T)
	return v
}
