// The mark of Flotilla.

import icon from "../icon.svg";

export function Logo({ className = "size-7" }: { className?: string }) {
  return <img src={icon} alt="" className={className} />;
}
